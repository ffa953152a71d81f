/** Modules against Haiku: the tutorial's parameters at full size, names, initialisers, and the order of keys. */
import { type DType, type NDArray, evalShape, nn, np, random } from '@fluxion/core'
import * as hk from '@fluxion/modules'
import { li, rlif } from '@fluxion/neurons'
import { type Policy, policy, withPolicy } from '@fluxion/precision'
import { arctan } from '@fluxion/surrogates'
import { describe, expect, test } from 'vitest'
import { type Encoded, decode, golden, mismatch } from './goldens.ts'

interface Summary {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly first: readonly number[]
  readonly last: readonly number[]
  readonly sum: number
  readonly sumOfSquares: number
  readonly sumOfIndexTimesValue: number
}
type Table<T> = Readonly<Record<string, Readonly<Record<string, T>>>>
interface TutorialCase {
  readonly policy: string | null
  readonly seed: number
  readonly input: { readonly dtype: DType; readonly shape: readonly number[] }
  readonly params: Table<Summary>
  readonly creationOrder: readonly string[]
  readonly output: readonly [Typed, readonly Typed[]]
}
interface Typed {
  readonly dtype: DType
  readonly shape: readonly number[]
}
interface NamesCase {
  readonly case: string
  readonly creationOrder: readonly string[]
  readonly params: Table<readonly number[]>
  readonly state: Table<readonly number[]>
}
interface InitialiserCase {
  readonly fn: string
  readonly options: Readonly<Record<string, never>>
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly seed: number
  readonly expected: Encoded
}
interface LayerCase {
  readonly layer: string
  readonly options: Readonly<Record<string, never>>
  readonly inputs: readonly [Encoded]
  readonly seed: number
  readonly initial: unknown
  readonly params: unknown
  readonly outputs: readonly Encoded[]
}
interface KeysCase {
  readonly case: string
  readonly seed: number
  readonly params?: unknown
  readonly expected: unknown
}
const cases = golden<{
  readonly tutorial: readonly TutorialCase[]
  readonly names: readonly NamesCase[]
  readonly initialisers: readonly InitialiserCase[]
  readonly layers: readonly LayerCase[]
  readonly keys: readonly KeysCase[]
}>('haiku')

// --------------------------------------------------------------------------------------------------- the tutorial's network

const tutorial = hk.withoutApplyRng(
  hk.transform((x: NDArray) => {
    const events = hk.batchApply(hk.linear(128, { withBias: false }))(x)
    const core = hk.deepRNN([
      rlif([128], { activation: arctan() }),
      hk.linear(128, { withBias: false }),
      rlif([128], { activation: arctan() }),
      hk.linear(20, { withBias: false }),
      li([20]),
    ])
    return hk.dynamicUnroll(core, events, core.initialState(x.shape[0]), { timeMajor: false, unroll: 10 })
  }),
)
const underPolicy = <T>(chosen: Policy | undefined, f: () => T): T =>
  [hk.linear, rlif, li].reduce<() => T>(
    (run, factory) => (chosen === undefined ? run : () => withPolicy(factory, chosen, run)),
    f,
  )()
const entries = <T>(table: Table<T>): (readonly [string, T])[] =>
  Object.entries(table).flatMap(([module, leaves]) =>
    Object.entries(leaves).map(([name, leaf]) => [`${module}/${name}`, leaf] as const),
  )

describe.each(cases.tutorial.map((row) => [row.policy ?? 'no policy', row] as const))(
  "the tutorial's network at full size under %s",
  (name, row) => {
    const chosen = row.policy === null ? undefined : policy(name)
    const x = np.zeros(row.input.shape, { dtype: row.input.dtype })
    const params = underPolicy(chosen, () => tutorial.init(random.key(row.seed), x))
    const made = new Map(entries(params))

    test("has Haiku's names, in the order of creation", () => {
      expect([...made.keys()]).toEqual(row.creationOrder)
    })

    test.each(entries(row.params))('%s starts with the values of JAX', (leaf, summary) => {
      const x = made.get(leaf)!
      expect([x.dtype, x.shape]).toEqual([summary.dtype, summary.shape])
      const values = [...x.dataSync()]
      // Truncated normals pass through erfInv, which differs in its last bits: by one unit of the dtype's last place at most, of values below 2.
      const unit = { float32: 2 ** -20, float16: 2 ** -10, bfloat16: 2 ** -7 }[
        x.dtype as 'float32' | 'float16' | 'bfloat16'
      ]
      const near = (got: readonly number[], expected: readonly number[]): void =>
        got.forEach((value, i) =>
          expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(unit * Math.max(1, Math.abs(expected[i]!))),
        )
      near(values.slice(0, summary.first.length), summary.first)
      near(values.slice(-summary.last.length), summary.last)
      // A wrong element anywhere, or one in the wrong place, moves these sums by far more than last bits do.
      const sum = (f: (value: number, i: number) => number): number =>
        values.reduce((total, value, i) => total + f(value, i), 0)
      const slack = unit * values.length ** 0.5
      expect(Math.abs(sum((v) => v) - summary.sum)).toBeLessThan(slack)
      expect(Math.abs(sum((v) => v * v) - summary.sumOfSquares)).toBeLessThan(slack)
      expect(Math.abs(sum((v, i) => v * i) - summary.sumOfIndexTimesValue)).toBeLessThan(slack * values.length)
    })

    test('gives results and states of the same types', () => {
      const out = underPolicy(chosen, () => evalShape(tutorial.apply, params, x))
      expect(out).toMatchObject(row.output)
    })
  },
)

// ------------------------------------------------------------------------------------------------------------------- names

// The modules of the golden file, by what they make and where.
const block = hk.module('block', () => {
  const inner = hk.linear(2)
  return { call: (x: NDArray) => hk.linear(3)(inner(x)), encode: (x: NDArray) => hk.linear(5)(x) }
})
const outer = hk.module('outer', () => {
  const made = block()
  return (x: NDArray) => block()(made(x))
})
const ones = hk.initializers.ones
const zeros = hk.initializers.zeros
const weight = hk.module('weight', () => (x: NDArray) => {
  const w = hk.getParameter('w', x.shape.slice(-1), { dtype: x.dtype, init: ones })
  return x.mul(w).add(hk.getParameter('w_offset', [], { dtype: x.dtype, init: zeros }))
})
// Stand-ins for layers of Haiku that this package does not have: they make the same parameters, in the same places.
const mlp = hk.module('mlp', (sizes: readonly number[]) => {
  const layers = sizes.map((size, i) => hk.linear(size, { name: `linear_${i}` }))
  return (x: NDArray) => layers.reduce((value, layer) => layer(value), x)
})
const stateOf = (size: number) => (batch: number | null) => np.zeros([batch!, size])
const lstm = hk.core('lstm', (size: number) => ({
  call(x, h: NDArray) {
    const gates = hk.linear(4 * size)(np.concatenate([x, h], { axis: -1 }))
    const next = np.tanh(gates.get('...', `:${size}`))
    return [next, next]
  },
  initialState: stateOf(size),
}))
const gru = hk.core('gru', (size: number) => ({
  call(x, h: NDArray) {
    const wI = hk.getParameter('w_i', [x.shape.at(-1)!, 3 * size], { init: ones })
    const wH = hk.getParameter('w_h', [size, 3 * size], { init: ones })
    const b = hk.getParameter('b', [3 * size], { init: zeros })
    const next = np.tanh(x.matmul(wI).add(h.matmul(wH)).add(b)).get('...', `:${size}`)
    return [next, next]
  },
  initialState: stateOf(size),
}))
const vanillaRNN = hk.core('vanilla_rnn', (size: number) => ({
  call(x, h: NDArray) {
    const next = nn.relu(hk.linear(size)(x).add(hk.linear(size)(h)))
    return [next, next]
  },
  initialState: stateOf(size),
}))
const conv = hk.module(
  'conv2_d',
  (channels: number, kernel: readonly number[], _options: { name?: string } = {}) =>
    (x: NDArray) => {
      const w = hk.getParameter('w', [...kernel, x.shape.at(-1)!, channels], { init: ones })
      const b = hk.getParameter('b', [channels], { init: zeros })
      return np.sum(x, { axis: -1, keepdims: true }).mul(w.sum()).add(b)
    },
)
const average = hk.module('exponential_moving_average', (_options: { name?: string }) => (x: NDArray) => {
  hk.getState('counter', [], { dtype: 'int32', init: zeros })
  hk.getState('hidden', x.shape, { init: zeros })
  return hk.getState('average', x.shape, { init: zeros })
})
const batchNorm = hk.module('batch_norm', () => {
  const mean = average({ name: 'mean_ema' })
  const variance = average({ name: 'var_ema' })
  return (x: NDArray) => {
    const shape = [1, x.shape.at(-1)!]
    const scale = hk.getParameter('scale', shape, { init: ones })
    const offset = hk.getParameter('offset', shape, { init: zeros })
    const first = x.mean({ axis: 0, keepdims: true })
    return x.sub(mean(first)).mul(scale).add(offset).add(variance(first))
  }
})
const layerNorm = hk.module('layer_norm', () => (x: NDArray) => {
  const scale = hk.getParameter('scale', x.shape.slice(-1), { init: ones })
  return x.mul(scale).add(hk.getParameter('offset', x.shape.slice(-1), { init: zeros }))
})

const networks: Readonly<Record<string, (x: NDArray) => unknown>> = {
  repeated: (x) => hk.linear(2)(hk.linear(3)(hk.linear(4)(x))),
  nested: (x) => outer()(x),
  constructor: (x: NDArray) => block()(x),
  method(x) {
    const b = block()
    return [b.encode(x), b(x)]
  },
  sequential: (x) => hk.sequential([hk.linear(4), nn.relu, hk.linear(2), nn.relu])(x),
  mlp: (x) => mlp([4, 3, 2])(x),
  named: (x) =>
    hk.linear(2, { name: 'readout' })(hk.linear(3, { name: 'readout' })(hk.linear(4, { name: 'my_layer' })(x))),
  twice(x) {
    const layer = hk.linear(4)
    return layer(layer(x))
  },
  numbered: (x) => hk.linear(2)(hk.linear(3, { name: 'linear_1' })(hk.linear(4)(x))),
  scoped: (x) => hk.linear(2)(hk.nameScope('stage', () => hk.linear(3)(x))),
  raw: (x) => hk.getParameter('scale', [4], { init: ones }).mul(x),
  deep(x) {
    const core = hk.deepRNN([lstm(3), nn.relu, gru(2), hk.linear(2), vanillaRNN(3)])
    return hk.dynamicUnroll(core, x.get(':', null), core.initialState(1))[0]
  },
  weight: (x) => weight()(weight()(x)),
  nested_sequential: (x) => hk.sequential([hk.linear(4), hk.sequential([hk.linear(3), block()])])(x),
  inside_sequential: (x) => hk.sequential([mlp([3, 2]), mlp([2, 2])])(x),
  conv: (x) => conv(2, [3, 3])(conv(2, [3], { name: 'c' })(x.get(null)).get('...', null)),
  norms: (x) => layerNorm()(batchNorm()(x)),
  residual: (x) => hk.toModule((y: NDArray) => hk.linear(4)(y), 'block')()(x),
}
// Python makes modules where they stand in a call, from the outermost inwards; so does JavaScript.
test.each(cases.names.map((row) => [row.case, row] as const))("modules have Haiku's names: %s", (name, row) => {
  const [params, state] = hk
    .transformWithState(networks[name] as (x: NDArray) => NDArray)
    .init(random.key(42), np.ones([3, 4]))
  const shapes = (table: Table<NDArray>): object =>
    Object.fromEntries(
      Object.entries(table).map(([m, leaves]) => [
        m,
        Object.fromEntries(Object.entries(leaves).map(([k, v]) => [k, v.shape])),
      ]),
    )
  expect(entries(params).map(([path]) => path)).toEqual(row.creationOrder.map((path) => path.replace(':', '/')))
  expect(shapes(params)).toEqual(row.params)
  expect(shapes(state)).toEqual(row.state)
})

// ------------------------------------------------------------------------------------------------------------- initialisers

const { initializers } = hk
const camel = (text: string): string => text.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
const makers: Readonly<Record<string, (options: Readonly<Record<string, never>>) => hk.Initializer>> = {
  constant: ({ value }) => initializers.constant(value!),
  randomNormal: ({ stddev, mean }) => initializers.randomNormal(stddev, mean),
  randomUniform: ({ minval, maxval }) => initializers.randomUniform(minval, maxval),
  truncatedNormal: ({ stddev, mean, lower, upper }) => initializers.truncatedNormal(stddev, mean, lower, upper),
  varianceScaling: (options) =>
    initializers.varianceScaling(
      Object.fromEntries(
        Object.entries(options).map(([key, value]) => [key, typeof value === 'string' ? camel(value) : value]),
      ),
    ),
  orthogonal: ({ scale, axis }) => initializers.orthogonal(scale, axis),
  identity: ({ gain }) => initializers.identity(gain),
}
test.each(
  cases.initialisers.map(
    (row) => [`${row.fn} ${JSON.stringify(row.options)} of [${row.shape.join()}] in ${row.dtype}`, row] as const,
  ),
)('%s', (_, row) => {
  const init = makers[row.fn]!(row.options)
  const net = hk.transform(() => hk.getParameter('w', row.shape, { dtype: row.dtype, init }))
  const w = net.init(random.key(row.seed))['~']!['w']
  // normal and uniform to the last bits; orthogonal passes through a QR factorisation
  const near =
    row.dtype === 'float16'
      ? { relative: 2 ** -10 }
      : row.fn === 'orthogonal'
        ? { absolute: 1e-6 }
        : { relative: 1e-6, absolute: 1e-7 }
  expect(mismatch(w, row.expected, near)).toBe(undefined)
})

// ------------------------------------------------------------------------------------------------------------------- layers

const layers: Readonly<Record<string, (options: Readonly<Record<string, never>>) => (x: NDArray) => NDArray>> = {
  linear: ({ outputSize, ...options }) => hk.linear(outputSize!, options),
  flatten: (options) => hk.flatten(options),
}
test.each(
  cases.layers
    .filter((row) => Object.hasOwn(layers, row.layer))
    .map(
      (row) =>
        [
          `${row.layer} ${JSON.stringify(row.options)} of ${row.inputs[0].dtype}[${row.inputs[0].shape.join()}]`,
          row,
        ] as const,
    ),
)('%s', (_, row) => {
  const net = hk.transform((x: NDArray) => layers[row.layer]!(row.options)(x))
  const near =
    row.inputs[0].dtype === 'float16' ? { relative: 2 ** -9, absolute: 2 ** -10 } : { relative: 1e-5, absolute: 1e-6 }
  const x = decode(row.inputs[0])
  expect(mismatch(net.init(random.key(row.seed), x), row.initial, near)).toBe(undefined)
  expect(mismatch(net.apply(decode<hk.Params>(row.params), null, x), row.outputs[0], near)).toBe(undefined)
})

// --------------------------------------------------------------------------------------------------------------------- keys

const noisy = hk.module(
  'noisy',
  () => () => [hk.nextRngKey(), hk.getParameter('w', [2], { init: initializers.randomNormal() })] as const,
)
const draws: Readonly<Record<string, () => unknown>> = {
  'nextRngKey three times': () => [hk.nextRngKey(), hk.nextRngKey(), hk.nextRngKey()],
  'nextRngKey, nextRngKeys(3), nextRngKey': () => [hk.nextRngKey(), hk.nextRngKeys(3), hk.nextRngKey()],
  'reserveRngKeys(5), nextRngKey twice'() {
    hk.reserveRngKeys(5)
    return [hk.nextRngKey(), hk.nextRngKey()]
  },
  'nextRngKey within withRng(key(1)), then outside': () => [
    hk.withRng(random.key(1), () => hk.nextRngKey()),
    hk.nextRngKey(),
  ],
  'nextRngKey, a module that takes a key and a randomNormal parameter of shape [2], nextRngKey: parameters take keys at init only'() {
    const first = hk.nextRngKey()
    const [inner, w] = noisy()()
    return [first, inner, w, hk.nextRngKey()]
  },
}
const sequenceCase = 'prngSequence(42), five keys'
test.each(cases.keys.filter((row) => row.case !== sequenceCase).map((row) => [row.case, row] as const))(
  "keys come in Haiku's order: %s",
  (name, row) => {
    const net = hk.transform(draws[name] as () => NDArray)
    const params = net.init(random.key(row.seed))
    expect(mismatch(params, row.params, { relative: 1e-6 })).toBe(undefined)
    expect(mismatch(net.apply(params, random.key(row.seed)), row.expected, { relative: 1e-6 })).toBe(undefined)
  },
)
test("a sequence of keys is Haiku's", () => {
  const keys = hk.prngSequence(42)
  const row = cases.keys.find((row) => row.case === sequenceCase)!
  expect(
    mismatch(
      Array.from({ length: 5 }, () => keys.next()),
      row.expected,
    ),
  ).toBe(undefined)
})
