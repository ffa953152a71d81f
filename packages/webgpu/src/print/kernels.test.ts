// Printed kernels give, bit for bit, what the interpreter of the loop IR says: all operations on special values, all dtypes, all ways of storing.
import {
  type BinaryOp,
  Buffer,
  type Combine,
  type CompareOp,
  type Expr,
  type Kernel,
  Local,
  LoopVar,
  type Nest,
  type ScalarType,
  type Stmt,
  type UnaryOp,
  binary,
  bitcast,
  buffersOf,
  compare,
  convert,
  flatIndex,
  forLoop,
  indexAdd,
  indexMod,
  indexMul,
  load,
  local,
  narrow,
  scalarType,
  select,
  store,
  unary,
  update,
  variable,
  assign,
  f32,
  i32,
  indexDiv,
  u32,
  when,
  whilst,
} from '@fluxion/compiler'
import { type DType, type TypedArray, allocate, dtypes, roundBfloat, roundHalf } from '@fluxion/core'
import { expect, test } from 'vitest'
import { hasOrderedSubgroups } from '../device/subgroups.ts'
import { interpreted, runKernel, testDevice } from '../testing.testing.ts'
import { separate } from './access.ts'
import type { Traits } from './traits.ts'

/** A nest over one loop, or over more, that stores each of the values in a buffer of its own. */
function nestOf(grid: readonly LoopVar[], body: readonly Stmt[]): Nest {
  const nest = { kind: 'nest', name: 'test', grid, body } as const
  return { ...nest, params: buffersOf(nest) }
}
async function expectSame(
  kernel: Kernel,
  args: readonly TypedArray[],
  { offsets = [], traits = {} }: { offsets?: readonly number[]; traits?: Partial<Traits> } = {},
): Promise<void> {
  const got = await runKernel(kernel, args, offsets, undefined, traits)
  expect(got.map(flushed)).toEqual(interpreted(kernel, args, offsets).map(flushed))
}
/** WGSL lets a device take subnormal floats for zeros, and SwiftShader does. */
const flushed = (data: TypedArray): TypedArray =>
  data instanceof Float32Array
    ? data.map((x) => (Math.abs(x) < 2 ** -126 ? (Object.is(x, -0) || x < 0 ? -0 : 0) : x))
    : data
/** Arrays for a kernel's parameters: given ones, and others filled with what would show. */
const argsFor = (kernel: Kernel, given: ReadonlyMap<Buffer, TypedArray>): TypedArray[] =>
  kernel.params.map(
    (buffer) => given.get(buffer) ?? allocate(buffer.dtype, buffer.length).fill(buffer.dtype === 'bool' ? 1 : 77),
  )

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  NaN,
  Infinity,
  -Infinity,
  3.4028234663852886e38,
  2 ** -126,
  0.1,
  -0.3,
  1e-3,
  255.5,
  65504,
  65520,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  8388609,
  -1e10,
  1 / 3,
  7,
  2 ** -24,
  2 ** -25,
].map(Math.fround)
const ints = [0, 1, -1, 2, 7, -7, 31, 255, 256, 65535, 2 ** 31 - 1, -(2 ** 31), 123456789]
const samples: Readonly<Record<'f32' | 'i32' | 'u32' | 'bool', readonly number[]>> = {
  f32: floats,
  i32: ints,
  u32: ints.map((x) => x >>> 0),
  bool: [0, 1],
}
const storage = { f32: 'float32', f64: 'float64', i32: 'int32', u32: 'uint32', bool: 'bool' } as const

/** All pairs of samples, and a kernel that stores what each operation makes of them. */
async function expectOperations(
  type: 'f32' | 'i32' | 'u32' | 'bool',
  operations: readonly ((x: Expr, y: Expr) => Expr)[],
): Promise<void> {
  const values = samples[type]
  const size = values.length ** 2
  const [x, y] = [new Buffer('x', storage[type], size), new Buffer('y', storage[type], size)]
  const i = new LoopVar('i', size)
  const given = new Map<Buffer, TypedArray>([
    [x, allocate(x.dtype, size).map((_, at) => values[at % values.length]!) as TypedArray],
    [y, allocate(y.dtype, size).map((_, at) => values[Math.floor(at / values.length)]!) as TypedArray],
  ])
  const [a, b] = [load(x, variable(i)), load(y, variable(i))]
  // As many results as bindings allow.
  for (let first = 0; first < operations.length; first += 6) {
    const body = operations.slice(first, first + 6).map((operation) => {
      const value = operation(a, b)
      return store(new Buffer('out', storage[value.type], size), variable(i), value)
    })
    const kernel = nestOf([i], body)
    await expectSame(kernel, argsFor(kernel, given))
  }
}
const unaries = (...fns: UnaryOp[]) => fns.map((fn) => (x: Expr) => unary(fn, x))
const binaries = (...fns: BinaryOp[]) => fns.map((fn) => (x: Expr, y: Expr) => binary(fn, x, y))
const compares = (['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as CompareOp[]).map(
  (fn) => (x: Expr, y: Expr) => compare(fn, x, y),
)
const converts = (...types: ScalarType[]) => types.map((type) => (x: Expr) => convert(type, x))
const narrows = (...to: DType[]) => to.map((dtype) => (x: Expr) => narrow(dtype, x))

test('operations of floats are exact, of NaN, infinities and zeros too', async () => {
  await expectOperations('f32', [
    ...unaries('neg', 'abs', 'floor', 'ceil', 'trunc', 'nearest', 'sqrt'),
    ...binaries('add', 'sub', 'mul', 'div', 'min', 'max', 'rem'),
    ...compares,
    (x) => compare('ne', x, x),
    (x) => compare('eq', x, x),
    ...converts('i32', 'u32', 'bool'),
    ...narrows('float16', 'bfloat16'),
    (x, y) => select(compare('lt', x, y), x, y),
    (x) => bitcast('u32', select(compare('ne', x, x), f32(0), x)),
    (x) => binary('add', x, f32(-0)),
    (x) => binary('min', x, f32(Infinity)),
    (x) => compare('eq', x, f32(-Infinity)),
    () => f32(NaN),
    () => f32(2 ** -149),
    () => f32(0.1),
  ])
})
test('operations of integers wrap, shift and compare as the IR says', async () => {
  const amount = (y: Expr): Expr => binary('and', y, y.type === 'u32' ? u32(31) : i32(31))
  const divisor = (y: Expr): Expr =>
    binary('or', binary('and', y, y.type === 'u32' ? u32(255) : i32(255)), y.type === 'u32' ? u32(1) : i32(1))
  const both = [
    ...unaries('neg', 'not'),
    ...binaries('add', 'sub', 'mul', 'min', 'max', 'and', 'or', 'xor'),
    (x: Expr, y: Expr) => binary('shl', x, amount(y)),
    (x: Expr, y: Expr) => binary('shr', x, amount(y)),
    (x: Expr, y: Expr) => binary('div', x, divisor(y)),
    (x: Expr, y: Expr) => binary('rem', x, divisor(y)),
    ...compares,
    ...converts('f32', 'bool'),
  ]
  await expectOperations('u32', [
    ...both,
    ...unaries('popcount', 'clz'),
    ...converts('i32'),
    ...narrows('uint8', 'uint16'),
    (x) => bitcast('f32', binary('and', x, u32(0x7f7fffff))),
  ])
  await expectOperations('i32', [
    ...both,
    ...unaries('abs'),
    ...converts('u32'),
    ...narrows('int8', 'int16'),
    (x) => binary('floorDiv', x, i32(7)),
    (x) => binary('floorMod', x, i32(7)),
    () => i32(-(2 ** 31)),
  ])
})
test('operations of truth values', async () => {
  await expectOperations('bool', [
    ...unaries('not'),
    ...binaries('and', 'or', 'xor'),
    ...compares,
    ...converts('f32', 'i32', 'u32'),
    (x, y) => select(x, y, unary('not', y)),
  ])
})

const all = (Object.keys(dtypes) as DType[]).filter((dtype) => dtype !== 'float64')
const rounded: Partial<Record<DType, (x: number) => number>> = { float16: roundHalf, bfloat16: roundBfloat }
/** Values that a dtype can hold, special ones among them. */
function valuesOf(dtype: DType, length: number): TypedArray {
  const { min, max } = dtypes[dtype]
  const special =
    scalarType(dtype) === 'f32'
      ? floats.concat([2 ** -14, 2 ** -15, 3 * 2 ** -24].map((x) => x))
      : dtype === 'bool'
        ? [0, 1, 1]
        : [0, 1, min, max, max - 1, 5]
  const round = rounded[dtype] ?? ((x: number) => x)
  return allocate(dtype, length).map((_, at) => round(special[(at * 7) % special.length]!)) as TypedArray
}

test.each(all)('%s is loaded and stored at any place', async (dtype) => {
  for (const [length, offset] of [
    [23, 0],
    [23, 3],
    [64, 4],
    [1, 1],
  ] as const) {
    const [x, whole, odd] = ['x', 'whole', 'odd'].map((name) => new Buffer(name, dtype, length)) as [
      Buffer,
      Buffer,
      Buffer,
    ]
    const i = new LoopVar('i', length)
    // In order, by whole words; in reverse, element by element.
    const reverse = indexAdd(indexMul(variable(i), -1), length - 1)
    const kernel = nestOf(
      [i],
      [store(whole, variable(i), load(x, variable(i))), store(odd, reverse, load(x, variable(i)))],
    )
    const args = kernel.params.map((buffer) =>
      buffer === x ? valuesOf(dtype, length + offset) : allocate(dtype, length + offset + 5).fill(1),
    )
    const aligned = kernel.params.map(() => offset % 4 === 0)
    const offsets = kernel.params.map(() => offset)
    const layout = { ...separate(kernel), aligned }
    expect(await runKernel(kernel, args, offsets, layout)).toEqual(interpreted(kernel, args, offsets))
  }
})
test('rows of packed elements are stored by words whatever their length, and rounded on the way', async () => {
  for (const [rows, columns] of [
    [3, 8],
    [3, 7],
    [1, 5],
    [4, 2],
  ] as const) {
    const [i, j] = [new LoopVar('i', rows), new LoopVar('j', columns)]
    const size = rows * columns
    const [x, half, byte, same] = [
      new Buffer('x', 'float32', size),
      new Buffer('half', 'float16', size),
      new Buffer('byte', 'uint8', size),
      new Buffer('same', 'bool', size),
    ]
    const at = flatIndex([variable(i), variable(j)], [rows, columns])
    const across = flatIndex([variable(j), variable(i)], [columns, rows])
    const value = load(x, at)
    const kernel = nestOf(
      [i, j],
      [
        store(half, at, narrow('float16', value)),
        store(byte, at, narrow('uint8', convert('u32', value))),
        store(same, across, compare('gt', value, f32(0))),
      ],
    )
    await expectSame(kernel, argsFor(kernel, new Map([[x, valuesOf('float32', size)]])))
  }
})
const updates: readonly (readonly [DType, readonly Combine[]])[] = [
  ['float32', ['add', 'mul', 'min', 'max']],
  ['int32', ['add', 'mul', 'min', 'max', 'and', 'or', 'xor']],
  ['uint32', ['add', 'min', 'max']],
  ['float16', ['add', 'max']],
  ['bfloat16', ['add']],
  ['int8', ['add', 'min', 'xor']],
  ['uint8', ['add', 'or']],
  ['int16', ['mul']],
  ['bool', ['and', 'or', 'xor']],
]
test.each(updates)('%s: all updates of an element come together', async (dtype, combines) => {
  const [count, bins] = [200, 7]
  for (const combine of combines) {
    const [x, out] = [new Buffer('x', dtype, count), new Buffer('out', dtype, bins)]
    const i = new LoopVar('i', count)
    const kernel = nestOf([i], [update(out, indexMod(variable(i), bins), combine, load(x, variable(i)))])
    // Whole numbers, whose sums do not depend on the order.
    const values = allocate(dtype, count).map((_, at) =>
      dtype === 'bool' ? (at % 3) & 1 : combine === 'mul' ? 1 + (at % 2) * Number(at < 8) : (at * 5) % 11,
    ) as TypedArray
    await expectSame(
      kernel,
      argsFor(
        kernel,
        new Map([
          [x, values],
          [out, allocate(dtype, bins).fill(1)],
        ]),
      ),
    )
  }
})
test('a grid of more than 65,535 workgroups covers every point', async () => {
  const count = 65_536 * 64 + 100
  const out = new Buffer('out', 'uint32', count)
  const i = new LoopVar('i', count)
  const kernel = nestOf([i], [store(out, variable(i), binary('mul', bitcast('u32', variable(i)), u32(2654435761)))])
  const [got] = await runKernel(kernel, [allocate('uint32', count)])
  expect(got!.every((value, at) => value === Math.imul(at, 2654435761) >>> 0)).toBe(true)
})
test('loops, branches and locals', async () => {
  const count = 37
  const [x, out] = [new Buffer('x', 'int32', count), new Buffer('out', 'int32', count)]
  const [i, j] = [new LoopVar('i', count), new LoopVar('j', 10)]
  const [n, steps] = [new Local('n', 'i32'), new Local('steps', 'i32')]
  const odd = compare('eq', binary('and', local(n), i32(1)), i32(1))
  const kernel = nestOf(
    [i],
    [
      assign(n, load(x, variable(i))),
      assign(steps, i32(0)),
      whilst(compare('gt', local(n), i32(1)), [
        when(
          odd,
          [assign(n, binary('add', binary('mul', local(n), i32(3)), i32(1)))],
          [assign(n, binary('shr', local(n), i32(1)))],
        ),
        assign(steps, binary('add', local(steps), i32(1))),
      ]),
      forLoop(j, [assign(steps, binary('add', local(steps), variable(j)))], indexMod(variable(i), 10)),
      store(out, variable(i), local(steps)),
    ],
  )
  await expectSame(
    kernel,
    argsFor(kernel, new Map([[x, allocate('int32', count).map((_, at) => at + 1) as TypedArray]])),
  )
})
test.each([
  ['by invocations alone', { shared: false, subgroups: false }],
  ['by workgroups', { shared: true, subgroups: false }],
  ['by subgroups of workgroups', { shared: true, subgroups: true }],
])('reductions %s', async (_, traits) => {
  for (const [points, turns] of [
    [1, 1000],
    [6, 130],
    [5, 3],
  ] as const) {
    const size = points * turns
    const x = new Buffer('x', 'float32', size)
    const [i, r] = [new LoopVar('i', points), new LoopVar('r', turns)]
    const value = load(x, flatIndex([variable(i), variable(r)], [points, turns]))
    const [sum, most, any] = [new Local('sum', 'f32'), new Local('most', 'f32'), new Local('any', 'bool')]
    const kernel = nestOf(
      [i],
      [
        {
          op: 'reduce',
          variables: [r],
          accumulators: [
            { into: sum, combine: 'add', value },
            { into: most, combine: 'max', value },
            { into: any, combine: 'or', value: compare('eq', value, f32(8)) },
          ],
        },
        store(new Buffer('sum', 'float32', points), variable(i), local(sum)),
        store(new Buffer('most', 'float32', points), variable(i), local(most)),
        store(new Buffer('any', 'bool', points), variable(i), local(any)),
      ],
    )
    // Whole numbers: sums are exact in any order.
    const data = allocate('float32', size).map((_, at) => ((at * 29) % 64) - 40) as TypedArray
    await expectSame(kernel, argsFor(kernel, new Map([[x, data]])), { traits })
  }
})
test('invocations of a subgroup are found to be neighbours', async () => {
  const { gpu } = await testDevice()
  expect(gpu.features.has('subgroups')).toBe(true)
  expect(await hasOrderedSubgroups(gpu)).toBe(true)
  const without = { createShaderModule: () => ({}), createBuffer: gpu.createBuffer.bind(gpu) }
  expect(await hasOrderedSubgroups(without as unknown as GPUDevice)).toBe(false)
})
test('long sums of floats are as exact as pairwise ones', async () => {
  const turns = 100_000
  const [x, out] = [new Buffer('x', 'float32', turns), new Buffer('out', 'float32', 2)]
  const [i, r, sum] = [new LoopVar('i', 2), new LoopVar('r', turns), new Local('sum', 'f32')]
  const value = load(x, variable(r))
  const kernel = nestOf(
    [i],
    [
      { op: 'reduce', variables: [r], accumulators: [{ into: sum, combine: 'add', value }] },
      store(out, variable(i), local(sum)),
    ],
  )
  const data = allocate('float32', turns).map((_, at) => 1 + ((at * 7919) % 1000) / 1000) as TypedArray
  const exact = [...data].reduce((a, b) => a + b, 0)
  const [, got] = await runKernel(kernel, argsFor(kernel, new Map([[x, data]])))
  // Adding one after the other loses a hundred times as much.
  expect(Math.abs(got![0]! - exact) / exact).toBeLessThan(3e-7)
})

const products: readonly (readonly [name: string, batch: number, rows: number, columns: number, inner: number])[] = [
  ['whole tiles', 1, 64, 64, 32],
  ['odd sizes', 2, 37, 19, 21],
  ['small', 3, 5, 6, 2],
  ['wide', 1, 4, 70, 17],
]
test.each(products)('products of %s, by tiles and by blocks', async (_, batch, rows, columns, inner) => {
  const loops = [batch, rows, columns, inner].map((extent, at) => new LoopVar('bmnk'[at]!, extent)) as [
    LoopVar,
    LoopVar,
    LoopVar,
    LoopVar,
  ]
  const [b, m, n, k] = loops.map(variable) as [Expr, Expr, Expr, Expr]
  for (const [type, from, to] of [
    ['f32', 'float32', 'float16'],
    ['i32', 'int8', 'int32'],
    ['bool', 'bool', 'bool'],
  ] as const) {
    const x = new Buffer('x', from, batch * rows * inner)
    const y = new Buffer('y', from, batch * inner * columns)
    const out = new Buffer('out', to, batch * rows * columns)
    const sum = new Local('sum', type)
    const head = {
      kind: 'product',
      name: 'product',
      batch: [loops[0]],
      rows: [loops[1]],
      columns: [loops[2]],
      inner: [loops[3]],
      left: load(x, flatIndex([b, m, k], [batch, rows, inner])),
      // Transposed.
      right: load(y, flatIndex([b, n, k], [batch, columns, inner])),
      sum,
      body: [store(out, flatIndex([b, m, n], [batch, rows, columns]), narrow(to, local(sum)))],
    } as const
    const kernel: Kernel = { ...head, params: buffersOf(head) }
    const data = (length: number): TypedArray =>
      allocate(from, length).map((_, at) => (type === 'bool' ? Number(at % 5 === 0) : ((at * 7) % 5) - 2)) as TypedArray
    const args = argsFor(
      kernel,
      new Map([
        [x, data(x.length)],
        [y, data(y.length)],
      ]),
    )
    for (const shared of type === 'f32' ? [true, false] : [false])
      await expectSame(kernel, args, { traits: { shared } })
  }
})
test('a convolution is a product, whose operand is computed from several loops', async () => {
  const [images, width, taps, features] = [2, 9, 3, 5]
  const [image, place, tap, feature] = [images, width, taps, features].map(
    (size, at) => new LoopVar('ipto'[at]!, size),
  ) as [LoopVar, LoopVar, LoopVar, LoopVar]
  const [x, w, out] = [
    new Buffer('x', 'float32', images * width),
    new Buffer('w', 'float32', features * taps),
    new Buffer('out', 'float32', images * features * width),
  ]
  const spot = indexAdd(variable(place), variable(tap), -1)
  const inside = binary('and', compare('ge', spot, i32(0)), compare('lt', spot, i32(width)))
  const clamped = binary('min', binary('max', spot, i32(0)), i32(width - 1))
  const sum = new Local('sum', 'f32')
  const head = {
    kind: 'product',
    name: 'convolution',
    batch: [],
    rows: [image, place],
    columns: [feature],
    inner: [tap],
    left: select(inside, load(x, indexAdd(indexMul(variable(image), width), clamped)), f32(0)),
    right: load(w, flatIndex([variable(feature), variable(tap)], [features, taps])),
    sum,
    body: [
      store(
        out,
        flatIndex([variable(image), variable(feature), variable(place)], [images, features, width]),
        local(sum),
      ),
    ],
  } as const
  const kernel: Kernel = { ...head, params: buffersOf(head) }
  const data = (length: number): TypedArray =>
    allocate('float32', length).map((_, at) => ((at * 5) % 9) - 4) as TypedArray
  const args = argsFor(
    kernel,
    new Map([
      [x, data(x.length)],
      [w, data(w.length)],
    ]),
  )
  for (const shared of [true, false]) await expectSame(kernel, args, { traits: { shared } })
})
test('whatever names kernels and variables have, the module compiles', async () => {
  const names = ['vec2', 'launch', 'i32', '9-x', '__', 'fn', 'möbius', 'b0', 'lane']
  const grid = names.map((name) => new LoopVar(name, 2))
  const out = new Buffer('var', 'int32', 2 ** names.length)
  const total = new Local('return', 'i32')
  const at = flatIndex(
    grid.map(variable),
    grid.map(({ extent }) => extent),
  )
  const kernel = nestOf(grid, [assign(total, indexDiv(at, 3)), store(out, at, local(total))])
  await expectSame(kernel, argsFor(kernel, new Map()))
})
