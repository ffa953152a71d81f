// Elementwise kernels by four elements give what the interpreter gives, and go back to one where elements do not lie side by side.
import {
  Buffer,
  type Expr,
  Local,
  LoopVar,
  type Nest,
  add,
  assign,
  buffersOf,
  flatIndex,
  f32,
  indexAdd,
  indexMul,
  load,
  local,
  mul,
  store,
  variable,
} from '@fluxion/compiler'
import { type TypedArray, allocate } from '@fluxion/core'
import { expect, test } from 'vitest'
import { interpreted, runKernel, gpuTraits } from '../testing.testing.ts'
import { type Layout, separate } from './access.ts'
import { printKernel } from './kernel.ts'
import type { Traits } from './traits.ts'

const gpu = gpuTraits
/** Two results of operands that are read along, across, at odd places, and once for a row. */
function nestOf(rows: number, columns: number): Nest {
  const [i, j] = [new LoopVar('i', rows), new LoopVar('j', columns)]
  const size = rows * columns
  const at = flatIndex([variable(i), variable(j)], [rows, columns])
  const turned = flatIndex([variable(j), variable(i)], [columns, rows])
  const of = (name: string, length: number, index: Expr): Expr => load(new Buffer(name, 'float32', length), index)
  const sum = new Local('sum', 'f32')
  const x = of('x', size, at)
  const body = [
    assign(sum, add(add(mul(x, f32(2)), of('row', columns, variable(j))), of('column', rows, variable(i)))),
    store(new Buffer('a', 'float32', size), at, add(local(sum), of('turned', size, turned))),
    store(new Buffer('b', 'int32', size), at, load(new Buffer('odd', 'int32', size + 4), indexAdd(at, 3))),
  ]
  const nest = { kind: 'nest', name: 'vectors', grid: [i, j], body } as const
  return { ...nest, params: buffersOf(nest) }
}
const argsOf = ({ params }: Nest): TypedArray[] =>
  params.map(({ dtype, length }) => allocate(dtype, length).map((_, at) => ((at * 7) % 23) - 11) as TypedArray)
const isByVectors = (nest: Nest, layout: Layout = separate(nest), traits: Traits = gpu): boolean =>
  printKernel(nest, layout, traits).source.includes('vec4<f32>(')

test.each([
  [3, 8],
  [1, 4],
  [70, 12],
])('%i × %i, by four', async (rows, columns) => {
  const nest = nestOf(rows, columns)
  expect(isByVectors(nest)).toBe(true)
  const args = argsOf(nest)
  expect(await runKernel(nest, args, [], undefined, gpu)).toEqual(interpreted(nest, args))
})
test('rows of other lengths, results that begin elsewhere, and drivers on CPUs take one by one', async () => {
  const nest = nestOf(4, 6)
  expect(isByVectors(nest)).toBe(false)
  const args = argsOf(nest)
  expect(await runKernel(nest, args, [], undefined, gpu)).toEqual(interpreted(nest, args))
  const fitting = nestOf(4, 8)
  const layout = separate(fitting)
  const vectors = fitting.params.map(({ name }) => name !== 'b')
  expect(isByVectors(fitting, { ...layout, vectors })).toBe(false)
  expect(isByVectors(fitting, layout, { ...gpu, shared: false })).toBe(false)
})
test('what is read at the places of results is not loaded ahead', async () => {
  const [i, x] = [new LoopVar('i', 8), new Buffer('x', 'float32', 8)]
  const body = [store(x, variable(i), mul(load(x, variable(i)), f32(3)))]
  const head = { kind: 'nest', name: 'inPlace', grid: [i], body } as const
  const nest: Nest = { ...head, params: buffersOf(head) }
  expect(isByVectors(nest)).toBe(false)
  const args = argsOf(nest)
  expect(await runKernel(nest, args, [], undefined, gpu)).toEqual(interpreted(nest, args))
})
test('strides other than one are read one by one beside vectors', async () => {
  const [i, x] = [new LoopVar('i', 16), new Buffer('x', 'float32', 32)]
  const [y, out] = [new Buffer('y', 'float32', 16), new Buffer('out', 'float32', 16)]
  const value = add(load(x, indexMul(variable(i), 2)), load(y, variable(i)))
  const head = { kind: 'nest', name: 'strided', grid: [i], body: [store(out, variable(i), value)] } as const
  const nest: Nest = { ...head, params: buffersOf(head) }
  const { source } = printKernel(nest, separate(nest), gpu)
  expect(source).toContain('array<vec4<f32>>')
  expect(source.match(/let four_\d+ =/g)).toHaveLength(1)
  const args = argsOf(nest)
  expect(await runKernel(nest, args, [], undefined, gpu)).toEqual(interpreted(nest, args))
})
