/** Products with operands that are 0 or 1 against the meaning of the loop IR, which multiplies everything. */
import {
  Buffer,
  type Expr,
  Local,
  LoopVar,
  type Product,
  add,
  and,
  bitcast,
  convert,
  flatIndex,
  gt,
  i32,
  constant,
  indexAdd,
  indexDiv,
  indexMod,
  indexMul,
  interpretKernel,
  load,
  local,
  max,
  min,
  scalarType,
  shr,
  store,
  u32,
  variable,
} from '@fluxion/compiler'
import type { DType, TypedArray } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { features } from '../../features.ts'
import { formOf } from '../form.ts'
import { allocate, runWasm } from '../run.testing.ts'
import { lyingOf } from './operand.ts'

/** How the operand of 0s and 1s lies: inner dimension last or first, and what its elements are. */
interface Selecting {
  readonly transposed: boolean
  readonly stored: 'bool' | 'uint8' | 'float32' | 'float16' | 'comparison' | 'bits'
  /** Of bits: which of both dimensions eight are packed along, and in which order. */
  readonly packed: 'rows' | 'inner'
  readonly big: boolean
}
interface Case {
  readonly sizes: readonly [batch: number, rows: number, columns: number, inner: number]
  readonly selecting: Selecting
  readonly side: 'left' | 'right' | 'both'
  readonly dtype: DType
  readonly other: { readonly transposed: boolean; readonly half: boolean }
  readonly density: number
  /** A number among those of the other operand. */
  readonly special: number
  /** Whether a flag in memory says that the other operand is finite. */
  readonly flagged: boolean
  readonly epilogue: 'none' | 'relu' | 'turned' | 'accumulate' | 'narrow'
  readonly relaxed: boolean
  readonly cut: number
  readonly seed: number
}

const eights = (size: number): number => Math.ceil(size / 8)
/** The element at (batch, outer, inner) of an operand of 0s and 1s, and how many elements are stored. */
function selectingAt(
  { transposed, stored, packed, big }: Selecting,
  [B, M, K]: readonly [number, number, number],
  [b, i, k]: readonly [Expr, Expr, Expr],
  type: 'f32' | 'f64' | 'i32',
): { readonly buffer: Buffer; readonly element: Expr } {
  const bits = stored === 'bits'
  const [rows, inner] = [bits && packed === 'rows' ? eights(M) : M, bits && packed === 'inner' ? eights(K) : K]
  const at = bits && packed === 'rows' ? indexDiv(i, 8) : i
  const within = bits && packed === 'inner' ? indexDiv(k, 8) : k
  const index = transposed ? flatIndex([b, within, at], [B, inner, rows]) : flatIndex([b, at, within], [B, rows, inner])
  const dtype = bits ? 'uint8' : stored === 'comparison' ? 'float32' : stored
  const buffer = new Buffer('x', dtype, B * rows * inner)
  const value = load(buffer, index)
  if (stored === 'comparison') return { buffer, element: convert(type, gt(value, constant('f32', 0.5))) }
  if (!bits) return { buffer, element: convert(type, value) }
  const place = indexMod(packed === 'rows' ? i : k, 8)
  const shift = bitcast('u32', big ? indexAdd(7, indexMul(place, -1)) : place)
  return { buffer, element: convert(type, and(shr(value, shift), u32(1))) }
}
const turns = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
function check(of: Case): void {
  const { sizes, selecting, side, dtype, other, density, special, flagged, epilogue } = of
  const [B, M, N, K] = sizes
  const type = scalarType(dtype) as 'f32' | 'f64' | 'i32'
  const vars = [new LoopVar('b', B), new LoopVar('i', M), new LoopVar('j', N), new LoopVar('k', K)] as const
  const [b, i, j, k] = vars.map(variable) as [Expr, Expr, Expr, Expr]
  const outer = side === 'right' ? ([N, j] as const) : ([M, i] as const)
  const x = selectingAt(selecting, [B, outer[0], K], [b, outer[1], k], type)
  const [size, at] = side === 'right' ? [M, i] : [N, j]
  const stored = side === 'both' ? 'bool' : dtype === 'float32' && other.half ? 'float16' : dtype
  const y = new Buffer('y', stored, B * K * size)
  const index = other.transposed ? flatIndex([b, at, k], [B, size, K]) : flatIndex([b, k, at], [B, K, size])
  const dense = convert(type, load(y, index))
  const z = new Buffer('z', epilogue === 'narrow' ? 'float64' : dtype, B * M * N)
  const to = epilogue === 'turned' ? flatIndex([b, j, i], [B, N, M]) : flatIndex([b, i, j], [B, M, N])
  const sum = new Local('sum', type)
  const flag = new Buffer('finite', 'bool', 1)
  const values: Record<string, Expr> = {
    relu: max(local(sum), constant(type, 3)),
    accumulate: add(load(z, to), local(sum)),
    narrow: convert('f64', local(sum)),
  }
  const product: Product = {
    kind: 'product',
    name: 'product',
    batch: [vars[0]],
    rows: [vars[1]],
    columns: [vars[2]],
    inner: [vars[3]],
    left: side === 'right' ? dense : x.element,
    right: side === 'right' ? x.element : dense,
    zeroOne: side,
    sum,
    body: [store(z, to, values[epilogue] ?? local(sum))],
    ...(flagged && { finite: load(flag, i32(0)) }),
    params: [x.buffer, y, ...(flagged ? [flag] : []), z],
  }
  const next = turns(of.seed)
  const first = allocate(x.buffer.dtype, x.buffer.length)
  for (let e = 0; e < first.length; e++) {
    if (selecting.stored === 'bits') for (let bit = 0; bit < 8; bit++) first[e]! |= next() < density ? 1 << bit : 0
    else first[e] = next() < density ? 1 : 0
  }
  const second = allocate(y.dtype, y.length).map(() =>
    side === 'both' ? Math.floor(next() * 2) : Math.floor(next() * 9) - 4,
  ) as TypedArray
  if (special !== 0 && dtype !== 'int32' && side !== 'both') second[Math.floor(next() * second.length)] = special
  const before = allocate(z.dtype, z.length).fill(5) as TypedArray
  const expected = before.slice()
  const inputs = [first, second, ...(flagged ? [new Uint8Array([second.every(Number.isFinite) ? 1 : 0])] : [])]
  interpretKernel(product, [...inputs, expected])
  const got = runWasm(product, [...inputs, before], of.relaxed && features().relaxed, of.cut)
  expect(got).toEqual(expected)
}

const sizes = (least: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: least, max: least + 9 }), fc.constantFrom(16, 17, 20, 24, 31, 32, 33, 36, 47, 64))
const cases: fc.Arbitrary<Case> = fc.record({
  sizes: fc.tuple(fc.integer({ min: 1, max: 2 }), sizes(1), sizes(3), sizes(14)),
  selecting: fc.record({
    transposed: fc.boolean(),
    stored: fc.constantFrom<Selecting['stored']>('bool', 'uint8', 'float32', 'float16', 'comparison', 'bits', 'bits'),
    packed: fc.constantFrom('rows', 'inner'),
    big: fc.boolean(),
  }),
  side: fc.constantFrom('left', 'left', 'right', 'both'),
  dtype: fc.constantFrom<DType>('float32', 'float32', 'float64', 'int32'),
  other: fc.record({ transposed: fc.boolean(), half: fc.boolean() }),
  density: fc.constantFrom(0, 0.02, 0.1, 0.4, 0.6, 1),
  flagged: fc.boolean(),
  special: fc.constantFrom(0, 0, 0, 0, NaN, Infinity, -Infinity),
  epilogue: fc.constantFrom('none', 'none', 'relu', 'turned', 'accumulate', 'narrow'),
  relaxed: fc.boolean(),
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
  seed: fc.nat(),
})

test('whatever is selected, and however it lies, sums are those of all products', () => {
  fc.assert(fc.property(cases, check), { numRuns: 120 })
})
const plain: Case = {
  sizes: [1, 24, 20, 33],
  selecting: { transposed: false, stored: 'bool', packed: 'rows', big: true },
  side: 'left',
  dtype: 'float32',
  other: { transposed: false, half: false },
  density: 0.1,
  special: 0,
  flagged: false,
  epilogue: 'none',
  relaxed: true,
  cut: 0.4,
  seed: 1,
}
test('bits are read from memory in eights along either dimension, in either order', () => {
  for (const transposed of [false, true]) {
    for (const packed of ['rows', 'inner'] as const) {
      for (const big of [false, true]) {
        for (const batch of [1, 2]) {
          const selecting = { transposed, stored: 'bits', packed, big } as const
          check({ ...plain, selecting, sizes: [batch, 24, 9, 48] })
          check({ ...plain, selecting, sizes: [batch, 24, 8, 400], cut: 0.6 })
        }
      }
    }
  }
})
test('the same holds where the inner dimension takes several blocks and rows several chunks', () => {
  for (const transposed of [false, true]) {
    for (const stored of ['bool', 'float32'] as const) {
      const selecting = { ...plain.selecting, transposed, stored }
      check({ ...plain, selecting, sizes: [1, 310, 8, 401], cut: 0.3 })
      check({ ...plain, selecting, sizes: [2, 13, 19, 641], epilogue: 'relu' })
      check({
        ...plain,
        selecting,
        sizes: [1, 20, 9, 641],
        epilogue: 'accumulate',
        other: { transposed: true, half: true },
      })
    }
  }
})
test('a number that is not finite makes rows NaN that do not select it', () => {
  for (const special of [NaN, Infinity, -Infinity]) {
    for (const density of [0, 0.1]) {
      for (const columns of [16, 19]) {
        for (let seed = 0; seed < 10; seed++) {
          const flagged = seed % 2 === 0
          check({ ...plain, sizes: [2, 9, columns, 17], special, density, flagged, seed })
        }
      }
    }
  }
})
test('where an operand begins may stand in memory', () => {
  const [M, N, K, width] = [20, 12, 24, 40]
  const [i, j, k] = [new LoopVar('i', M), new LoopVar('j', N), new LoopVar('k', K)]
  const [x, o] = [new Buffer('x', 'uint8', M * width), new Buffer('o', 'int32', 1)]
  const [y, z] = [new Buffer('y', 'float32', K * N), new Buffer('z', 'float32', M * N)]
  const [vi, vj, vk] = [i, j, k].map(variable) as [Expr, Expr, Expr]
  const start = max(min(load(o, i32(0)), i32(width - K)), i32(0))
  const sum = new Local('sum', 'f32')
  const product: Product = {
    kind: 'product',
    name: 'product',
    batch: [],
    rows: [i],
    columns: [j],
    inner: [k],
    left: convert('f32', load(x, indexAdd(indexMul(vi, width), vk, start))),
    right: load(y, flatIndex([vk, vj], [K, N])),
    zeroOne: 'left',
    sum,
    body: [store(z, flatIndex([vi, vj], [M, N]), local(sum))],
    params: [o, x, y, z],
  }
  expect(lyingOf(formOf(product))?.along).toBe('inner')
  const selected = new Uint8Array(M * width).map((_, e) => (e % 5 === 0 || e % 7 === 0 ? 1 : 0))
  const rows = new Float32Array(K * N).map((_, e) => (e % 7) - 3)
  for (const at of [-3, 0, 5, 16, 99]) {
    const inputs = [new Int32Array([at]), selected, rows]
    const expected = new Float32Array(M * N)
    interpretKernel(product, [...inputs, expected])
    expect(runWasm(product, inputs, features().relaxed, 0.5)).toEqual(expected)
  }
})
test('of blocks of one product some may be dense and others not', () => {
  // Half of the rows all ones, the others none: the density is that of each chunk.
  const [M, N, K] = [600, 8, 401]
  const [i, j, k] = [new LoopVar('i', M), new LoopVar('j', N), new LoopVar('k', K)]
  const [x, y, z] = [
    new Buffer('x', 'bool', M * K),
    new Buffer('y', 'float32', K * N),
    new Buffer('z', 'float32', M * N),
  ]
  const sum = new Local('sum', 'f32')
  const [vi, vj, vk] = [i, j, k].map(variable) as [Expr, Expr, Expr]
  const product: Product = {
    kind: 'product',
    name: 'product',
    batch: [],
    rows: [i],
    columns: [j],
    inner: [k],
    left: convert('f32', load(x, flatIndex([vi, vk], [M, K]))),
    right: load(y, flatIndex([vk, vj], [K, N])),
    zeroOne: 'left',
    sum,
    body: [store(z, flatIndex([vi, vj], [M, N]), local(sum))],
    params: [x, y, z],
  }
  const selected = new Uint8Array(M * K).map((_, e) => (e < (M * K) / 2 ? 1 : e % 37 === 0 ? 1 : 0))
  const rows = new Float32Array(K * N).map((_, e) => (e % 7) - 3)
  const expected = new Float32Array(M * N)
  interpretKernel(product, [selected, rows, expected])
  expect(runWasm(product, [selected, rows], features().relaxed, 0.5)).toEqual(expected)
})
