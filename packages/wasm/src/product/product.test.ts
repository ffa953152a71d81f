/** Products of every shape and layout against the meaning of the loop IR. */
import {
  Buffer,
  type Expr,
  Local,
  LoopVar,
  type Product,
  add,
  and,
  buffersOf,
  constant,
  convert,
  f32,
  flatIndex,
  ge,
  i32,
  indexAdd,
  interpretKernel,
  load,
  local,
  lt,
  max,
  min,
  scalarType,
  select,
  store,
  variable,
} from '@fluxion/compiler'
import type { DType, TypedArray } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { features } from '../features.ts'
import { allocate, runWasm } from './run.testing.ts'

/** Small whole numbers: sums are exact in every type, so that results agree to the bit. */
function fill(dtype: DType, length: number, seed: number): TypedArray {
  const data = allocate(dtype, length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    data[i] = dtype === 'bool' ? state >>> 31 : dtype === 'uint8' ? state >>> 29 : (state >>> 29) - 4
  }
  return data
}

interface Case {
  readonly sizes: readonly [batch: number, rows: number, columns: number, inner: number]
  readonly left: string
  readonly right: string
  readonly dtype: DType
  readonly stored: DType
  readonly epilogue: string
  readonly relaxed: boolean
  readonly cut: number
}
function productOf({ sizes: [B, M, N, K], left, right, dtype, stored, epilogue }: Case): Product {
  const vars = [new LoopVar('b', B), new LoopVar('i', M), new LoopVar('j', N), new LoopVar('k', K)] as const
  const [b, i, j, k] = vars.map(variable) as [Expr, Expr, Expr, Expr]
  const type = scalarType(dtype)
  const x = new Buffer('x', stored, B * M * K)
  const y = new Buffer('y', stored, B * K * N)
  const z = new Buffer('z', epilogue === 'narrow' ? 'float64' : dtype, B * M * N)
  const layouts: Record<string, Expr> = {
    plain: flatIndex([b, i, k], [B, M, K]),
    transposed: flatIndex([b, k, i], [B, K, M]),
  }
  const rights: Record<string, Expr> = {
    plain: flatIndex([b, k, j], [B, K, N]),
    transposed: flatIndex([b, j, k], [B, N, K]),
  }
  const sum = new Local('sum', type)
  const computed = (of: Expr): Expr => (type === 'bool' ? of : add(convert(type, of), constant(type, 1)))
  const operand = (kind: string, at: Readonly<Record<string, Expr>>, of: Buffer): Expr =>
    kind === 'computed' ? computed(load(of, at['plain']!)) : convert(type, load(of, at[kind]!))
  const index = epilogue === 'turned' ? flatIndex([b, j, i], [B, N, M]) : flatIndex([b, i, j], [B, M, N])
  const values: Record<string, Expr> =
    type === 'bool' ? {} : { relu: max(local(sum), constant(type, 3)), adds: add(load(z, index), local(sum)) }
  const value = values[epilogue] ?? local(sum)
  const unlisted = {
    kind: 'product',
    name: 'product',
    batch: [vars[0]],
    rows: [vars[1]],
    columns: [vars[2]],
    inner: [vars[3]],
    sum,
    left: operand(left, layouts, x),
    right: operand(right, rights, y),
    body: [store(z, index, epilogue === 'narrow' ? convert('f64', value) : value)],
  } as const
  expect(buffersOf(unlisted).length).toBeLessThanOrEqual(3)
  return { ...unlisted, params: [x, y, z] }
}
function check(of: Case): void {
  const product = productOf(of)
  const inputs = product.params.slice(0, 2).map(({ dtype, length }, i) => fill(dtype, length, 7 + i))
  const out = product.params[2]!
  const before = fill(out.dtype, out.length, 3)
  const expected = before.slice()
  interpretKernel(product, [...inputs, expected])
  const got = runWasm(product, [...inputs, before], of.relaxed && features().relaxed, of.cut)
  expect(got).toEqual(expected)
}
const small = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(12, 13, 16, 24, 25, 31, 33))
const cases: fc.Arbitrary<Case> = fc.record({
  sizes: fc.tuple(fc.integer({ min: 1, max: 3 }), small, small, small),
  left: fc.constantFrom('plain', 'transposed', 'computed'),
  right: fc.constantFrom('plain', 'transposed', 'computed'),
  dtype: fc.constantFrom<DType>('float32', 'float32', 'float64', 'int32', 'bool'),
  stored: fc.constantFrom<DType>('float32', 'float16', 'uint8', 'bfloat16'),
  epilogue: fc.constantFrom('none', 'relu', 'turned', 'adds', 'narrow'),
  relaxed: fc.boolean(),
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('a product of any shape, layout and type is what the loop IR means, whatever is computed before and after', () => {
  fc.assert(
    fc.property(cases, (of) => {
      const stored = of.dtype === 'float32' ? of.stored : of.dtype
      check({ ...of, stored })
    }),
    { numRuns: 100 },
  )
})
test('the same holds where the inner dimension takes several blocks and rows several chunks', () => {
  const base: Case = {
    sizes: [1, 13, 9, 401],
    left: 'plain',
    right: 'plain',
    dtype: 'float32',
    stored: 'float32',
    epilogue: 'none',
    relaxed: true,
    cut: 0.4,
  }
  for (const left of ['plain', 'transposed', 'computed']) {
    for (const right of ['plain', 'transposed', 'computed']) {
      check({ ...base, left, right, sizes: [2, 7, 9, 401] })
      check({ ...base, left, right, epilogue: 'relu' })
      check({ ...base, left, right, epilogue: 'turned', relaxed: false })
    }
  }
  check({ ...base, left: 'computed', sizes: [1, 400, 5, 100], epilogue: 'relu' })
})
test('sums of nothing are zero', () => {
  check({
    sizes: [1, 5, 6, 0],
    left: 'plain',
    right: 'plain',
    dtype: 'float32',
    stored: 'float32',
    epilogue: 'relu',
    relaxed: true,
    cut: 0.5,
  })
})
test('windows of a convolution are rows of a product', () => {
  const [size, window] = [9, 3]
  const out = size - window + 1
  const [r, c, f, u, v] = [
    new LoopVar('r', out),
    new LoopVar('c', out),
    new LoopVar('f', 10),
    new LoopVar('u', window),
    new LoopVar('v', window),
  ]
  const [x, w, z] = [
    new Buffer('x', 'float32', size * size),
    new Buffer('w', 'float32', window * window * 10),
    new Buffer('z', 'float32', out * out * 10),
  ]
  const sum = new Local('sum', 'f32')
  const at = (a: LoopVar, b: LoopVar): Expr => indexAdd(variable(a), variable(b))
  const product: Product = {
    kind: 'product',
    name: 'conv',
    params: [x, w, z],
    batch: [],
    rows: [r, c],
    columns: [f],
    inner: [u, v],
    sum,
    left: load(x, flatIndex([at(r, u), at(c, v)], [size, size])),
    right: load(w, flatIndex([variable(u), variable(v), variable(f)], [window, window, 10])),
    body: [store(z, flatIndex([variable(r), variable(c), variable(f)], [out, out, 10]), local(sum))],
  }
  const inputs = [fill('float32', x.length, 1), fill('float32', w.length, 2)]
  const expected = new Float32Array(z.length)
  interpretKernel(product, [...inputs, expected])
  for (const relaxed of [false, features().relaxed]) {
    expect(runWasm(product, inputs, relaxed, 0.3)).toEqual(expected)
  }
})

test('heads of attention are batches whose operands and results lie between each other', () => {
  const [images, heads, places, depth] = [2, 3, 13, 20]
  const [b, h, i, j] = [
    new LoopVar('b', images),
    new LoopVar('h', heads),
    new LoopVar('i', places),
    new LoopVar('j', places),
  ]
  const k = new LoopVar('k', depth)
  const at = (place: LoopVar): Expr => flatIndex([b, place, h, k].map(variable), [images, places, heads, depth])
  const [q, keys] = [new Buffer('q', 'float32', 1560), new Buffer('k', 'float32', 1560)]
  const z = new Buffer('z', 'float32', images * places * heads * places)
  const sum = new Local('sum', 'f32')
  const index = flatIndex([b, i, h, j].map(variable), [images, places, heads, places])
  const product: Product = {
    kind: 'product',
    name: 'scores',
    params: [q, keys, z],
    batch: [b, h],
    rows: [i],
    columns: [j],
    inner: [k],
    left: load(q, at(i)),
    right: load(keys, at(j)),
    sum,
    body: [store(z, index, local(sum))],
  }
  const inputs = [fill('float32', q.length, 1), fill('float32', keys.length, 2)]
  const expected = new Float32Array(z.length)
  interpretKernel(product, [...inputs, expected])
  for (const cut of [0, 0.37]) expect(runWasm(product, inputs, false, cut)).toEqual(expected)
})
test('padded windows are packed by the loops that their elements lie along', () => {
  const arbitrary = fc.record({
    channels: fc.constantFrom(1, 3, 8, 33),
    out: fc.constantFrom(3, 10),
    images: fc.integer({ min: 1, max: 2 }),
    window: fc.constantFrom(1, 3, 4),
    // Which of the loops are rows: places of windows, as in a convolution, or their elements, as in its weights' gradient.
    weights: fc.boolean(),
    order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
    relaxed: fc.boolean(),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  const size = 6
  fc.assert(
    fc.property(arbitrary, ({ channels, out, images, window, weights, order, relaxed, cut }) => {
      const [n, p, q] = [new LoopVar('n', images), new LoopVar('p', size), new LoopVar('q', size)]
      const [u, v, c] = [new LoopVar('u', window), new LoopVar('v', window), new LoopVar('c', channels)]
      const o = new LoopVar('o', out)
      const x = new Buffer('x', 'float32', images * size * size * channels)
      const [places, elements] = [[n, p, q] as const, order.map((i) => [u, v, c][i]!)]
      const at = (a: LoopVar, b: LoopVar): Expr => indexAdd(variable(a), variable(b), -1)
      const clamped = (index: Expr): Expr => min(max(index, i32(0)), i32(size - 1))
      const inside = (index: Expr): Expr => and(ge(index, i32(0)), lt(index, i32(size)))
      const [h, w] = [at(p, u), at(q, v)]
      const index = flatIndex([variable(n), clamped(h), clamped(w), variable(c)], [images, size, size, channels])
      const [rows, inner] = weights ? [elements, places] : [places, elements]
      const natural = weights ? [u, v, c] : [n, p, q]
      const count = (vars: readonly LoopVar[]): number => vars.reduce((total, { extent }) => total * extent, 1)
      const place = (vars: readonly LoopVar[]): Expr =>
        flatIndex(
          [...vars, o].map(variable),
          [...vars, o].map(({ extent }) => extent),
        )
      const y = new Buffer('y', 'float32', count(inner) * out)
      const z = new Buffer('z', 'float32', count(rows) * out)
      const sum = new Local('sum', 'f32')
      const product: Product = {
        kind: 'product',
        name: 'windows',
        params: [x, y, z],
        batch: [],
        rows,
        columns: [o],
        inner,
        left: select(and(inside(h), inside(w)), load(x, index), f32(0)),
        right: load(y, place(weights ? [n, p, q] : [u, v, c])),
        sum,
        body: [store(z, place(natural), local(sum))],
      }
      const inputs = [fill('float32', x.length, 1), fill('float32', y.length, 2)]
      const expected = new Float32Array(z.length)
      interpretKernel(product, [...inputs, expected])
      expect(runWasm(product, inputs, relaxed && features().relaxed, cut)).toEqual(expected)
    }),
    { numRuns: 15 },
  )
})
