// Runs many steps on a device and prints how its memory grew: `node memory.main.ts '"wasm"' '"train"' 5000`.
import { type Backend, type DeviceName, type NDArray, jit, np, random, setDevice, valueAndGrad } from 'fluxion'
import { useSwiftShader } from '../../tools/swiftshader/swiftshader.ts'
import { deviceOf } from './devices.ts'
import { givenArguments } from './processes.ts'

export interface Growth {
  /** The most bytes that were in use beyond those after the first steps: all memory of the process; what array buffers hold. */
  readonly rss: number
  readonly arrayBuffers: number
  /** The bytes of WebAssembly's memory at the end. */
  readonly wasm: number
  /** A number that the last step left, to be checked. */
  readonly result: number
}
const [name, kind, count] = givenArguments() as [DeviceName, 'train' | 'update', number]
if (name === 'webgpu') await useSwiftShader()
await setDevice(name)
const device = await deviceOf(name)

const wasmBytes = (on: Backend): number => {
  const probe = on.put({ shape: [1], dtype: 'float32', data: new Float32Array(1) })
  const { heap } = probe as unknown as { heap?: { memory: WebAssembly.Memory } }
  const bytes = heap?.memory.buffer.byteLength ?? 0
  probe.dispose()
  return bytes
}

/** One step of training a small network with momentum, as in a user's loop: its state goes in and comes out. */
function training(): (i: number) => NDArray {
  interface Params {
    w1: NDArray
    b1: NDArray
    w2: NDArray
  }
  const network = ({ w1, b1, w2 }: Params, x: NDArray): NDArray => np.tanh(x.matmul(w1).add(b1)).matmul(w2)
  const loss = (params: Params, x: NDArray, y: NDArray): NDArray => np.square(network(params, x).sub(y)).mean()
  const step = jit((params: Params, velocity: Params, x: NDArray, y: NDArray) => {
    const [value, gradients] = valueAndGrad(loss)(params, x, y) as [NDArray, Params]
    const each = (f: (k: keyof Params) => NDArray): Params => ({ w1: f('w1'), b1: f('b1'), w2: f('w2') })
    const next = each((k) => velocity[k].mul(0.9).add(gradients[k]))
    return { params: each((k) => params[k].sub(next[k].mul(0.01))), velocity: next, value }
  })
  let params: Params = {
    w1: random.normal(random.key(1), [16, 32]),
    b1: np.zeros([32]),
    w2: random.normal(random.key(2), [32, 4]),
  }
  let velocity: Params = { w1: np.zeros([16, 32]), b1: np.zeros([32]), w2: np.zeros([32, 4]) }
  const [x, y] = [random.normal(random.key(3), [8, 16]), random.normal(random.key(4), [8, 4])]
  return () => {
    const after = step(params, velocity, x, y)
    params = after.params
    velocity = after.velocity
    return after.value
  }
}
/** One eager update of 4 MB. */
function updating(): () => NDArray {
  let x: NDArray = np.zeros([2 ** 20])
  return () => (x = x.add(1))
}

const step = { train: training, update: updating }[kind]()
let last = step(0)
for (let i = 0; i < 20; i++) last = step(i)
const first = process.memoryUsage()
const most = { rss: 0, arrayBuffers: 0 }
const sample = (): void => {
  const now = process.memoryUsage()
  most.rss = Math.max(most.rss, now.rss - first.rss)
  most.arrayBuffers = Math.max(most.arrayBuffers, now.arrayBuffers - first.arrayBuffers)
}
const every = kind === 'train' ? 500 : 20
for (let i = 0; i < count; i++) {
  last = step(i)
  if (i % every !== 0) continue
  sample()
  // A GPU is waited for every so many steps, as by a training loop that reads its loss; WebAssembly never is.
  if (name === 'webgpu') await last.data()
}
sample()
const growth: Growth = { ...most, wasm: wasmBytes(device), result: (await last.data())[0]! }
console.log(JSON.stringify(growth))
// A GPU's device keeps the process alive.
process.exit(0)
