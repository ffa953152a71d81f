// What is known of values, and that it is true of them.
import { type DType, type NDArray, type ScanParams, closed, dtypes, lax, np } from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inline } from '../inline.ts'
import { trace } from '../passes.testing.ts'
import { checkFacts } from './check.ts'
import { factsOf } from './factsOf.ts'

const i32 = (...list: number[]): NDArray => np.array(list, { dtype: 'int32' })
/** Facts of the results. */
function known(f: (...args: NDArray[]) => NDArray | NDArray[], ...args: NDArray[]) {
  const program = inline(trace(f, args))
  const facts = factsOf(program)
  return program.jaxpr.outputs.map((atom) => facts.of(atom))
}
const float = np.array([0.5, -1, 2, 3])

test('comparisons, bits and what only selects or moves them are 0 or 1', () => {
  const spikes = (x: NDArray): NDArray => x.gt(0).astype('float32')
  const bytes = np.array([3, 5], { dtype: 'uint8' })
  const events = (p: NDArray): NDArray => np.roll(np.unpackbits(p), 3).reshape([4, 4]).astype('float32')
  expect(known(events, bytes)[0]).toMatchObject({ zeroOne: true })
  expect(known((x) => np.where(x.gt(1), 1, 0).astype('float32'), float)[0]).toMatchObject({ zeroOne: true })
  expect(known((x) => spikes(x).mul(spikes(x.neg())), float)[0]).toMatchObject({ zeroOne: true })
  expect(known((x) => np.maximum(spikes(x), spikes(x.neg())), float)[0]).toMatchObject({ zeroOne: true })
  expect(known((x) => np.subtract(1, spikes(x)), float)[0]).toMatchObject({ zeroOne: true })
  expect(known((x) => np.pad(np.concatenate([spikes(x), spikes(x)]), 1), float)[0]).toMatchObject({ zeroOne: true })
  const gathered =
    (mode: 'fill' | 'clip') =>
    (x: NDArray): NDArray =>
      np.take(spikes(x), i32(1, 2), { mode })
  expect(known(gathered('clip'), float)[0]).toMatchObject({ zeroOne: true })
  expect(known(gathered('fill'), float)[0]).toMatchObject({ zeroOne: false })
  expect(known((x) => np.bitwiseAnd(x, 1), i32(1, 2, 7))[0]).toMatchObject({ zeroOne: true, range: [0, 1] })
  expect(known((x) => spikes(x).add(spikes(x)), float)[0]).toMatchObject({ zeroOne: false })
  expect(known((x) => spikes(x).neg(), float)[0]).toMatchObject({ zeroOne: false })
  expect(known((x) => x, float)[0]).toMatchObject({ zeroOne: false })
})

test('what is spread is constant, and stays so under what treats all elements alike', () => {
  expect(known((x) => np.exp(np.broadcastTo(x.sum(), [3]).mul(2)), float)[0]).toMatchObject({ constant: true })
  expect(known((x) => x.mul(0), float)[0]).toMatchObject({ constant: false })
  expect(known(() => np.arange(3))[0]).toMatchObject({ constant: false })
})

test('integers have bounds, which are lost where they could wrap around', () => {
  expect(known(() => np.arange(10).mul(3).add(1))[0]).toMatchObject({ range: [1, 28] })
  expect(known((x) => lax.clamp(i32(2).get(0), x, i32(9).get(0)), i32(5, 6))[0]!.range).toEqual([
    -(2 ** 31),
    2 ** 31 - 1,
  ])
  expect(known((x) => np.clip(x, 2, 9).sub(3), i32(5, 6))[0]).toMatchObject({ range: [-1, 6] })
  expect(known((x) => np.argmax(x), float)[0]).toMatchObject({ range: [0, 3] })
  expect(known((x) => x.add(1), i32(5))[0]!.range).toEqual([-(2 ** 31), 2 ** 31 - 1])
  expect(known((x) => x.astype('int32').mul(2), np.array([1], { dtype: 'uint8' }))[0]).toMatchObject({
    range: [0, 510],
  })
})

test('a carry is known as what holds at the start and after every step', () => {
  const run =
    (step: (c: NDArray, x: NDArray) => NDArray, start: (x: NDArray) => NDArray) =>
    (xs: NDArray): NDArray[] => [
      ...lax.scan((c: NDArray, x: NDArray) => [step(c, x), c] as [NDArray, NDArray], start(xs), xs),
    ]
  const xs = np.array([
    [0.5, -1],
    [2, 3],
  ])
  const toggled = known(
    run(
      (c, x) => np.maximum(c, x.gt(0).astype('float32')),
      (all) => np.zerosLike(all.get(0)),
    ),
    xs,
  )
  expect(toggled.map((f) => f.zeroOne)).toEqual([true, true])
  const counted = known(
    run(
      (c) => c.add(1),
      (all) => np.zerosLike(all.get(0)),
    ),
    i32(1, 2, 3).reshape([3, 1]),
  )
  expect(counted[0]!.range).toEqual([-(2 ** 31), 2 ** 31 - 1])
  const grown = known(
    run(
      (c, x) => c.add(x),
      (all) => np.zerosLike(all.get(0)),
    ),
    xs,
  )
  expect(grown.map((f) => f.zeroOne)).toEqual([false, false])
  const bounded = known(
    run(
      (c) => np.minimum(c.add(1), 7),
      (all) => np.zerosLike(all.get(0)).mul(0),
    ),
    i32(1, 2, 3).reshape([3, 1]),
  )
  expect(bounded[0]!.range![1]).toBe(2 ** 31 - 1)
})

test('what is known inside a loop holds for all loops that share the body', () => {
  const body = (c: NDArray, x: NDArray): [NDArray, NDArray] => [c.mul(x), c]
  const f = (xs: NDArray): NDArray[] => [
    lax.scan(body, np.ones([2]), xs.gt(0).astype('float32'))[0],
    lax.scan(body, np.ones([2]), xs)[0],
  ]
  const program = inline(trace(f, [np.zeros([3, 2])]))
  const [one, other] = program.jaxpr.equations.filter(({ primitive }) => primitive.name === 'scan')
  const shared = (one!.params as ScanParams).jaxpr
  const equations = program.jaxpr.equations.map((equation) =>
    equation === other ? { ...equation, params: { ...equation.params, jaxpr: shared } } : equation,
  )
  const facts = factsOf(closed({ ...program.jaxpr, equations }))
  expect(program.jaxpr.outputs.map((atom) => facts.of(atom).zeroOne)).toEqual([true, false])
  expect(shared.jaxpr.inputs.map((variable) => facts.of(variable).zeroOne)).toEqual([false, false])
})

type Operation = (x: NDArray, y: NDArray, n: number) => NDArray
const operations: Readonly<Record<string, Operation>> = {
  add: (x, y) => lax.add(x, y),
  sub: (x, y) => lax.sub(x, y),
  mul: (x, y) => lax.mul(x, y),
  div: (x, _, n) => lax.div(x, np.fullLike(x, n + 1)),
  rem: (x, _, n) => lax.rem(x, np.fullLike(x, n + 1)),
  and: (x, y) => np.bitwiseAnd(x, y),
  or: (x, y) => np.bitwiseOr(x, y),
  xor: (x, y) => np.bitwiseXor(x, y),
  not: (x) => np.bitwiseNot(x),
  shift: (x, _, n) => np.rightShift(x, np.fullLike(x, n)),
  max: (x, y) => lax.max(x, y),
  min: (x, y) => lax.min(x, y),
  neg: (x) => lax.neg(x),
  square: (x) => lax.integerPow(x, 2),
  clip: (x, _, n) => np.clip(x, 1, 3 + n),
  where: (x, y) => np.where(x.gt(y), y, x),
  narrow: (x) => x.astype('int8').astype(x.dtype),
  float: (x) => x.astype('float32').astype(x.dtype),
  flag: (x, y) => x.lt(y).astype(x.dtype),
  total: (x, y) => lax.add(x.sum().astype(x.dtype), y),
  reverse: (x) => np.flip(x),
  join: (x, y) => np.concatenate([x, y]).get(`0:${x.size}`),
  bits: (x) => lax.populationCount(x),
  loop: (x, y, n) => lax.foriLoop(0, n, (i: NDArray, c: NDArray) => lax.min(c.add(i.astype(c.dtype)), y), x),
}
test('what is known of random programs of integers is true of their values', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(...Object.keys(operations)), fc.nat(9), fc.nat(9), fc.nat(6)), {
    minLength: 1,
    maxLength: 7,
  })
  fc.assert(
    fc.property(fc.constantFrom<DType>('int8', 'uint8', 'int16', 'int32', 'uint32'), steps, (dtype, list) => {
      const { min, max } = dtypes[dtype]
      const args = [np.array([0, 1, 5, max, min], { dtype }), np.array([3, max, 1, 0, min], { dtype })]
      const f = (x: NDArray, y: NDArray): NDArray[] => {
        const values = [x, y, lax.bitwiseAnd(x, np.fullLike(x, 7)), np.fullLike(y, 3), x.gt(y).astype(dtype)]
        for (const [name, a, b, n] of list)
          values.push(operations[name]!(values.at(-1 - (a % values.length))!, values.at(-1 - (b % values.length))!, n))
        return values
      }
      checkFacts(inline(trace(f as never, args)), args)
    }),
    { numRuns: 300 },
  )
})
