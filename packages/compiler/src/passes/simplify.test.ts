// Simplified programs keep every bit.
import { type DType, type NDArray, dtypes, evalJaxpr, grad, isFloat, lax, np, nn, printJaxpr } from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inline } from './inline.ts'
import { after, expectSame, filled, namesOf, trace } from './passes.testing.ts'
import { countEquations } from './rewrite.ts'
import { simplify } from './simplify.ts'

const specials = [0, -0, 1, -1, 0.5, -2.75, 1e-45, -1e-40, 3e38, Infinity, -Infinity, NaN, 7, 255, -129]
const numbersIn = (dtype: DType): number[] =>
  isFloat(dtype)
    ? specials
    : specials.filter((x) => Number.isInteger(x) && x >= dtypes[dtype].min && x <= dtypes[dtype].max).map((x) => x + 0)
const arrayOf = (dtype: DType): NDArray => np.array(numbersIn(dtype), { dtype })
/** Every element alike, zeros of different sign apart. */
const bits = (results: readonly NDArray[]): unknown[] => results.map((x) => [x.dtype, x.shape, [...x.dataSync()]])
function expectSameBits(f: (...args: NDArray[]) => NDArray, args: readonly NDArray[]): void {
  const program = trace(f, args)
  expect(bits(evalJaxpr(after(program), args)), printJaxpr(program)).toEqual(bits(evalJaxpr(program, args)))
}

type Operation = (x: NDArray, y: NDArray, c: number) => NDArray
const like = (x: NDArray, c: number): NDArray => np.fullLike(x, c)
const steps: Readonly<Record<string, Operation>> = {
  add: (x, _, c) => lax.add(x, like(x, c)),
  addLeft: (x, _, c) => lax.add(like(x, c), x),
  sub: (x, _, c) => lax.sub(x, like(x, c)),
  subLeft: (x, _, c) => lax.sub(like(x, c), x),
  mul: (x, _, c) => lax.mul(x, like(x, c)),
  div: (x, _, c) => lax.div(x, like(x, c)),
  max: (x, _, c) => lax.max(x, like(x, c)),
  min: (x, _, c) => lax.min(like(x, c), x),
  neg: (x) => lax.neg(x),
  square: (x) => lax.integerPow(x, 2),
  once: (x) => lax.integerPow(x, 1),
  never: (x) => lax.integerPow(x, 0),
  other: (x, y) => lax.add(x, y),
  where: (x, y, c) => np.where(np.array(c > 0), x, y),
  chosen: (x, y, c) => lax.select(lax.bitwiseNot(lax.gt(x, like(x, c))), x, y),
  flag: (x, _, c) => lax.gt(x, like(x, c)).astype('int32').ne(0).astype(x.dtype),
  noFlag: (x, _, c) => lax.lt(x, like(x, c)).astype(x.dtype).eq(0).astype(x.dtype),
  above: (x, y, c) => np.where(lax.gt(lax.sub(x, like(x, c)), like(x, 0)), y, x),
  below: (x, y) => np.where(lax.gt(like(x, -0), lax.sub(x, y)), y, x),
  clamp: (x, _, c) => lax.clamp(like(x, -Infinity), x, like(x, c > 0 ? Infinity : c)),
}

test('algebra keeps every bit, of NaN, infinities, subnormals and zeros of either sign too', () => {
  const chain = fc.array(
    fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.constantFrom(0, -0, 1, -1, 2, 0.25, -8, Infinity)),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  fc.assert(
    fc.property(fc.constantFrom<DType>('float32', 'float64', 'float16', 'bfloat16'), chain, (dtype, list) => {
      const x = arrayOf(dtype)
      const run = (a: NDArray, b: NDArray): NDArray => list.reduce((value, [name, c]) => steps[name]!(value, b, c), a)
      expectSameBits(run as never, [x, np.flip(x)])
    }),
    { numRuns: 300 },
  )
})

test('algebra of integers keeps every bit', () => {
  const whole = ['add', 'sub', 'mul', 'div', 'max', 'min', 'other', 'square', 'never', 'where', 'flag']
  const chain = fc.array(fc.tuple(fc.constantFrom(...whole), fc.constantFrom(0, 1, 2, 4)), {
    minLength: 1,
    maxLength: 5,
  })
  fc.assert(
    fc.property(fc.constantFrom<DType>('int8', 'uint8', 'int16', 'int32', 'uint32'), chain, (dtype, list) => {
      const x = arrayOf(dtype)
      const run = (a: NDArray, b: NDArray): NDArray => list.reduce((value, [name, c]) => steps[name]!(value, b, c), a)
      expectSameBits(run as never, [x, np.flip(x)])
    }),
    { numRuns: 200 },
  )
})

test('chains of conversions keep every bit', () => {
  const names = Object.keys(dtypes) as DType[]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...names), { minLength: 2, maxLength: 5 }), ([first, ...rest]) => {
      expectSameBits((x) => rest.reduce((value, dtype) => lax.convertElementType(value, dtype), x), [arrayOf(first!)])
    }),
    { numRuns: 400 },
  )
})

test('chains of movements keep every element in its place, and become few', () => {
  const moves: Readonly<Record<string, (x: NDArray, n: number) => NDArray>> = {
    transpose: (x, n) =>
      np.transpose(
        x,
        Array.from({ length: x.ndim }, (_, i) => (i + n) % x.ndim),
      ),
    reshape: (x) => x.reshape([x.size]),
    split: (x) => (x.ndim === 1 && x.size % 2 === 0 ? x.reshape([2, x.size / 2]) : x),
    expand: (x, n) => (x.ndim < 4 ? np.expandDims(x, n % (x.ndim + 1)) : x),
    squeeze: (x) => np.squeeze(x),
    flip: (x, n) => (x.ndim === 0 ? x : np.flip(x, { axis: n % x.ndim })),
    slice: (x, n) => (x.ndim === 0 || x.shape[0] < 2 ? x : x.get(n % 2 === 0 ? '1:' : '::2')),
    repeat: (x) => (x.size < 100 ? np.broadcastTo(x, [2, ...x.shape]) : x),
    pad: (x, n) => (x.size < 100 ? np.pad(x, n % 2) : x),
    join: (x, n) => (x.ndim > 0 && x.size < 100 ? np.concatenate([x, np.sin(x)], { axis: n % x.ndim }) : x),
    part: (x, n) => (x.ndim > 0 && x.shape[0]! % 2 === 0 ? np.split(x, 2, { axis: 0 })[n % 2]! : x),
    padded: (x) => (x.ndim > 0 && x.size < 100 ? np.pad(x, 1).add(np.pad(np.cos(x), 1)) : x),
  }
  const chain = fc.array(fc.tuple(fc.constantFrom(...Object.keys(moves)), fc.nat(5)), { minLength: 1, maxLength: 6 })
  const starts: Readonly<Record<string, (x: NDArray) => NDArray>> = {
    array: (x) => x,
    spread: (x) => np.broadcastTo(x.get(0), [2, 3, 2]),
    number: (x) => np.fullLike(x, 0.5),
  }
  fc.assert(
    fc.property(chain, fc.constantFrom(...Object.keys(starts)), (list, start) => {
      expectSameBits(
        (x) => list.reduce((value, [name, n]) => moves[name]!(value, n), starts[start]!(x)),
        [filled(2, 3, 2)],
      )
    }),
    { numRuns: 300 },
  )
  const twice = after(trace((x) => np.transpose(np.transpose(x.reshape([3, 4]).reshape([2, 6]))), [filled(12)]))
  expect(namesOf(twice)).toEqual(['reshape'])
})

test('transpositions around products become dimension numbers', () => {
  const f = (x: NDArray, y: NDArray): NDArray => np.transpose(np.matmul(x.T, np.transpose(y)))
  const args = [filled(3, 2), filled(4, 3)]
  const program = trace(f, args)
  expect(namesOf(after(program))).toEqual(['dot_general'])
  expectSame(program, after(program), args)
})

test('equal elements are computed once and spread after', () => {
  const f = (x: NDArray): NDArray => np.exp(np.ones([3, 4]).mul(2).add(1)).mul(x)
  expect(printJaxpr(after(trace(f, [np.zeros([3, 4])])))).toBe(
    '{ lambda ; a:f32[3,4]. let b:f32[3,4] = mul 20.08553695678711:f32[] a in (b,) }',
  )
  const row = (x: NDArray): NDArray => np.exp(np.broadcastTo(x, [5, 3]))
  expect(namesOf(after(trace(row, [filled(3)])))).toEqual(['exp', 'broadcast_in_dim'])
})

test('conditions whose index is known are the branch that it names, and loops that never run are their start', () => {
  const f = (x: NDArray): NDArray =>
    lax.cond(
      np.array(2).gt(1),
      (a: NDArray) => np.sin(a),
      (a: NDArray) => np.cos(a),
      x,
    )
  expect(namesOf(after(trace(f, [filled(3)])))).toEqual(['sin'])
  const never = (x: NDArray): NDArray =>
    lax.whileLoop(
      () => np.array(false),
      (c: NDArray) => np.sin(c),
      x,
    )
  expect(namesOf(after(trace(never, [filled(3)])))).toEqual([])
})

test('numbers, spread values, values given twice and fixed carries are made in the body of a while loop', () => {
  const f = (x: NDArray, v: NDArray): NDArray => {
    const rows = np.broadcastTo(v, [2, 3])
    const step = ([i, c, d]: [NDArray, NDArray, NDArray]): [NDArray, NDArray, NDArray] => [
      i.add(1),
      c.mul(rows).add(d),
      d,
    ]
    return lax.whileLoop(([i]: [NDArray, NDArray, NDArray]) => i.lt(3), step, [
      np.array(0, { dtype: 'int32' }),
      x,
      np.ones([2, 3], { dtype: 'float64' }),
    ] as [NDArray, NDArray, NDArray])[1]
  }
  const args = [filled(2, 3), filled(3)]
  const program = trace(f, args)
  const changed = after(program)
  const loop = changed.jaxpr.equations.find(({ primitive }) => primitive.name === 'while')!
  expect(loop.inputs.length).toBe(3)
  expect(loop.params).toMatchObject({ condNconsts: 0, bodyNconsts: 1 })
  expectSame(program, changed, args)
})

test('a program that is simple is handed back as it is', () => {
  const program = after(trace((x) => np.sin(x).sum(), [filled(3)]))
  expect(simplify(program)).toBe(program)
})

test('simplification makes the gradient of a loss smaller', () => {
  const loss = (x: NDArray): NDArray => nn.logSoftmax(nn.relu(x)).mul(2).sum().div(4)
  const program = inline(trace(grad(loss), [filled(2, 3)]))
  expect(countEquations(after(program))).toBeLessThan(0.75 * countEquations(program))
  expectSame(program, after(program), [filled(2, 3)])
})
