/** Whether JAX computes what the library computes: loss and gradients of networks, from the same parameters, events and labels. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type NDArray, tree } from 'fluxion'
import { type Network, nameOf, network, networkStep } from './entries/network.ts'
import { peers } from './peers/peers.ts'

interface Encoded {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly base64: string
}
const encoded = (x: NDArray): Encoded => {
  // float16 is read as float32, which holds all of its values.
  const { buffer, byteOffset, byteLength } = x.dataSync()
  const dtype = x.dtype === 'float16' ? 'float32' : x.dtype
  return { dtype, shape: x.shape, base64: Buffer.from(buffer, byteOffset, byteLength).toString('base64') }
}
const decoded = ({ base64 }: Encoded): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer)

/** The length of a − b as a part of the length of b. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [apart, size] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    apart += (a[i]! - b[i]!) ** 2
    size += b[i]! ** 2
  }
  return Math.sqrt(apart / size)
}

/** A sum in another order can decide whether a membrane reaches its threshold: a spike more or less moves gradients by so much. */
const tolerance = { full: 1e-4, half: 0.1 }
const small = { batch: 16, steps: 24, channels: 64, hidden: 32 }
const cases: readonly Network[] = [
  ...(['lif', 'rlif', 'alif', 'cubalif', 'rcubalif'] as const).map((neuron) => ({ neuron })),
  ...(['rlif', 'rcubalif'] as const).map((neuron) => ({ neuron, recurrence: 'dense' as const })),
  { layers: 1 },
  { neuron: 'alif' as const, layers: 4 },
]
  .flatMap((differing) => [differing, { ...differing, precision: 'half' as const }])
  .map((differing) => network({ ...small, ...differing }))

/** Compare them all; gives how many differ by more than rounding explains. */
export function check(): number {
  const peer = peers[0]!
  const missing = peer.open()
  if (missing !== undefined) {
    console.error(`${peer.name}: ${missing}`)
    return cases.length
  }
  const folder = mkdtempSync(join(tmpdir(), 'fluxion-'))
  let wrong = 0
  for (const task of cases) {
    const { step, params, packed, labels } = networkStep(task)
    const [loss, gradients] = step(params, packed, labels)
    const file = join(folder, 'network.json')
    const given = { task, params: tree.map(encoded, params), packed: encoded(packed), labels: encoded(labels) }
    writeFileSync(file, JSON.stringify(given))
    const script = join(import.meta.dirname, 'peers', 'jax', 'check.py')
    const command = peer.command(task, '0', [])
    const { stdout, status } = spawnSync(command.file, [script, file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 2 ** 26,
      env: { ...process.env, ...command.env },
    })
    if (status !== 0) throw new Error(`${script} failed for ${nameOf(task)}`)
    const expected = JSON.parse(stdout) as { loss: number; gradients: Record<string, Record<string, Encoded>> }
    const lossBy = Math.abs(loss.item() / expected.loss - 1)
    const [by, leaf] = Object.entries(expected.gradients)
      .flatMap(([module, leaves]) =>
        Object.entries(leaves).map(([name, value]): [number, string] => {
          const own = gradients[module]![name]!.astype('float32').dataSync()
          return [difference(own, decoded(value)), `${module}/${name}`]
        }),
      )
      .reduce((a, b) => (b[0] > a[0] ? b : a))
    const agrees = lossBy < tolerance[task.precision] / 10 && by < tolerance[task.precision]
    if (!agrees) wrong++
    const verdict = agrees ? 'agrees' : 'DIFFERS'
    console.log(
      `${nameOf(task).padEnd(36)} ${verdict}: loss ${loss.item().toFixed(5)} by ${lossBy.toExponential(1)}, gradients by at most ${by.toExponential(1)} (${leaf})`,
    )
  }
  rmSync(folder, { recursive: true })
  return wrong
}
