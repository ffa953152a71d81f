// Values that are 0 or 1 everywhere: what selects in products, and how it lies in memory on a CPU; numbers are those of plain arithmetic.
import { type Program, type Slot, type Step, compile, walkSteps } from '@fluxion/compiler'
import fc from 'fast-check'
import { type NDArray, jit, lax, makeJaxpr, np, random, valueAndGrad } from 'fluxion'
import { expect, test } from 'vitest'
import { deviceOf, on, read } from './devices.ts'
import { firstDifference } from './stages.ts'

const [wasm, reference] = [await deviceOf('wasm'), await deviceOf('reference')]
const target = { name: 'wasm', parallel: false, host: true } as const
const floats = ['float32', 'float16', 'bfloat16', 'float64'] as const
type Float = (typeof floats)[number]

/** Small whole numbers and halves: sums of some are exact in every dtype. */
const numbers = (seed: number, shape: readonly number[], dtype: Float): NDArray =>
  random
    .randint(random.key(seed), [...shape], -4, 5)
    .astype('float32')
    .div(2)
    .astype(dtype)
const bytes = (seed: number, shape: readonly number[], density: number): NDArray =>
  np.packbits(random.bernoulli(random.key(seed), [...shape], { p: density }), { axis: 1 })

interface Network {
  readonly batch: number
  readonly steps: number
  readonly channels: number
  readonly hidden: number
  readonly dtype: Float
  readonly density: number
  readonly recurrent: boolean
  readonly rolled: boolean
  readonly side: 'left' | 'right'
  /** A weight that is not finite, and where. */
  readonly special: readonly [value: number, at: number]
  readonly seed: number
}
const networks: fc.Arbitrary<Network> = fc.record({
  batch: fc.integer({ min: 1, max: 5 }),
  steps: fc.constantFrom(8, 16),
  channels: fc.constantFrom(16, 17, 40),
  hidden: fc.constantFrom(8, 11, 24),
  dtype: fc.constantFrom(...floats),
  density: fc.constantFrom(0, 0.1, 0.3, 0.9),
  recurrent: fc.boolean(),
  rolled: fc.boolean(),
  side: fc.constantFrom('left', 'right'),
  special: fc.tuple(fc.constantFrom(0, 0, 0, NaN, Infinity, -Infinity), fc.nat()),
  seed: fc.nat(1000),
})
/** A network's last membrane and all of its spikes from packed events, and the arguments that it is run with. */
function networkOf(of: Network): { readonly f: (...args: NDArray[]) => NDArray[]; readonly args: readonly NDArray[] } {
  const { batch, steps, channels, hidden, dtype, density, recurrent, rolled, side, special, seed } = of
  const weights = Array.from(numbers(seed, [channels, hidden], 'float32').dataSync())
  if (special[0] !== 0) weights[special[1] % weights.length] = special[0]
  const args = [
    bytes(seed + 1, [batch, steps, channels], density),
    np.asarray(weights).reshape([channels, hidden]).astype(dtype),
    numbers(seed + 2, [hidden, hidden], dtype),
  ]
  const f = (events: NDArray, w: NDArray, v: NDArray): NDArray[] => {
    const unpacked = np.unpackbits(events, { axis: 1 }).astype(dtype)
    const given = rolled ? np.roll(unpacked, 3, { axis: -1 }) : unpacked
    const rows = given.reshape([batch * steps, channels])
    const product = side === 'left' ? np.matmul(rows, w) : np.matmul(w.T, rows.T).T
    const inputs = np.transpose(product.reshape([batch, steps, hidden]), [1, 0, 2])
    const [last, spikes] = lax.scan(
      (membrane: NDArray, x: NDArray): [NDArray, NDArray] => {
        const spikes = np.greater(membrane, 1).astype(dtype)
        const fed = recurrent ? np.matmul(spikes, v).add(x) : x
        return [np.where(np.greater(spikes, 0), x, np.clip(fed, -8, 8)), spikes]
      },
      np.zeros([batch, hidden], { dtype }),
      inputs,
    )
    return [last, spikes, np.matmul(spikes, v), np.matmul(np.transpose(rows), rows)]
  }
  return { f, args }
}

test('networks of events and spikes give the same bits as on the reference back end', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(networks, async (of) => {
      const { f, args } = networkOf(of)
      expect(await firstDifference(f, args, { reference, device: wasm })).toBeUndefined()
    }),
    { numRuns: 25 },
  )
})

/** The dtypes of temporaries of at least so many elements, and the names of kernels in loops and outside. */
function shown(
  program: Program,
  least: number,
): { readonly large: string[]; readonly inside: string[]; readonly outside: string[] } {
  const own = new Set<Slot>([...program.inputs, ...program.outputs])
  const large = new Set<Slot>()
  const inside: string[] = []
  const names = (steps: readonly Step[]): string[] => {
    const found: string[] = []
    walkSteps(steps, (step) => void (step.op === 'launch' && found.push(step.kernel.name)))
    return found
  }
  walkSteps(program.steps, (step) => {
    if (step.op === 'loop') inside.push(...names(step.body))
    if (step.op !== 'launch') return
    for (const { slot } of step.args) if (slot.length >= least && !own.has(slot)) large.add(slot)
  })
  return {
    large: [...large].map(({ dtype }) => dtype),
    inside,
    outside: names(program.steps).filter((name) => !inside.includes(name)),
  }
}

test('events that several products read are never expanded', () => {
  const [batch, steps, channels, hidden] = [4, 16, 64, 8]
  const events = bytes(1, [batch, steps, channels], 0.1)
  const loss = (w: NDArray): NDArray => {
    const rows = np
      .unpackbits(events, { axis: 1 })
      .astype('float32')
      .reshape([batch * steps, channels])
    return np.square(np.matmul(rows, w)).sum()
  }
  const program = compile(makeJaxpr(valueAndGrad(loss))(numbers(2, [channels, hidden], 'float32')), target)
  expect(shown(program, batch * steps * channels).large).toEqual([])
})
test('spikes that a scan stacks, and that it carries, lie in memory as bytes', async () => {
  for (const dtype of ['float32', 'float16'] as const) {
    const f = (xs: NDArray, w: NDArray): NDArray => {
      const [, spikes] = lax.scan(
        ([v, before]: NDArray[], x: NDArray): [NDArray[], NDArray] => {
          const next = np.matmul(before!, w).add(x).add(v!.mul(0.5))
          const spikes = np.greater(next, 1).astype(dtype)
          return [[next.sub(spikes), spikes], spikes]
        },
        [np.zeros([3, 16], { dtype }), np.zeros([3, 16], { dtype })],
        xs,
      )
      return np.matmul(spikes.reshape([21, 16]), w)
    }
    const args = [numbers(1, [7, 3, 16], dtype), numbers(2, [16, 16], dtype)] as const
    const program = compile(makeJaxpr(f)(...args), target)
    const stacked = new Set<Slot>()
    walkSteps(program.steps, (step) => {
      if (step.op === 'launch') for (const { slot } of step.args) if (slot.length === 7 * 3 * 16) stacked.add(slot)
    })
    expect(
      [...stacked].filter((slot) => ![...program.inputs, ...program.outputs].includes(slot)).map((slot) => slot.dtype),
    ).toEqual(['bool'])
    const [got, expected] = [
      await read(on(wasm, () => [jit(f)(...args)])),
      await read(on(reference, () => [f(...args)])),
    ]
    expect(got).toEqual(expected)
  }
})
test('whether weights are finite is found out before the loop that multiplies by them', () => {
  const f = (xs: NDArray, w: NDArray): NDArray =>
    lax.scan(
      (v: NDArray, x: NDArray): [NDArray, null] => [np.matmul(np.greater(v, 1).astype('float32'), w).add(x), null],
      np.zeros([3, 16]),
      xs,
    )[0]
  const program = compile(makeJaxpr(f)(numbers(1, [7, 3, 16], 'float32'), numbers(2, [16, 16], 'float32')), target)
  const { inside, outside } = shown(program, Infinity)
  expect(outside).toContain('finite')
  expect(inside).not.toContain('finite')
  let read = 0
  walkSteps(program.steps, (step) => {
    if (step.op === 'launch' && step.kernel.kind === 'product' && step.kernel.finite !== undefined) read++
  })
  expect(read).toBe(1)
})
