// How products load their operands: four elements at once where they lie side by side, and as float16 where the device has it.
import {
  Buffer,
  type Expr,
  Local,
  LoopVar,
  type Product,
  buffersOf,
  flatIndex,
  load,
  local,
  store,
  variable,
} from '@fluxion/compiler'
import { type DType, type TypedArray, allocate } from '@fluxion/core'
import { expect, test } from 'vitest'
import { interpreted, runKernel, gpuTraits } from '../testing.testing.ts'
import { separate } from './access.ts'
import { printKernel } from './kernel.ts'
import type { Traits } from './traits.ts'

interface Sizes {
  readonly rows: number
  readonly columns: number
  readonly inner: number
}
/** x·y, or of their transposes. */
function productOf(
  { rows, columns, inner }: Sizes,
  turned: { readonly left: boolean; readonly right: boolean },
  dtype: DType = 'float32',
): Product {
  const [m, n, k] = [new LoopVar('m', rows), new LoopVar('n', columns), new LoopVar('k', inner)]
  const at = (order: readonly LoopVar[]): Expr =>
    flatIndex(
      order.map(variable),
      order.map(({ extent }) => extent),
    )
  const [x, y] = [new Buffer('x', dtype, rows * inner), new Buffer('y', dtype, inner * columns)]
  const sum = new Local('sum', 'f32')
  const head = {
    kind: 'product',
    name: 'product',
    batch: [],
    rows: [m],
    columns: [n],
    inner: [k],
    left: load(x, at(turned.left ? [k, m] : [m, k])),
    right: load(y, at(turned.right ? [n, k] : [k, n])),
    sum,
    body: [store(new Buffer('out', 'float32', rows * columns), at([m, n]), local(sum))],
  } as const
  return { ...head, params: buffersOf(head) }
}
const gpu = gpuTraits
const sourceOf = (kernel: Product, traits: Traits = gpu): string => printKernel(kernel, separate(kernel), traits).source
const fours = (source: string): string[] => ['left', 'right'].filter((side) => source.includes(`= ${side}Four(`))

test.each([
  ['both along the inner loop', { left: false, right: true }, { rows: 18, columns: 21, inner: 20 }, ['left', 'right']],
  ['both along their sides', { left: true, right: false }, { rows: 36, columns: 20, inner: 7 }, ['left', 'right']],
  [
    'one of a size that is no multiple of four',
    { left: false, right: false },
    { rows: 5, columns: 24, inner: 9 },
    ['right'],
  ],
  ['none', { left: false, right: false }, { rows: 8, columns: 9, inner: 6 }, []],
] as const)('operands by four elements: %s', async (_, turned, sizes, expected) => {
  const kernel = productOf(sizes, turned)
  expect(fours(sourceOf(kernel))).toEqual(expected)
  const args = kernel.params.map(
    ({ name, length }) =>
      allocate('float32', length).map((_value, at) => (name === 'out' ? 0 : ((at * 7) % 11) - 5)) as TypedArray,
  )
  expect(await runKernel(kernel, args, [], undefined, gpu)).toEqual(interpreted(kernel, args))
})
test('elements are loaded one by one where a parameter does not begin at 16 bytes, or is written to', () => {
  const kernel = productOf({ rows: 16, columns: 16, inner: 16 }, { left: false, right: false })
  const layout = { ...separate(kernel), vectors: kernel.params.map(({ name }) => name !== 'x') }
  expect(fours(printKernel(kernel, layout, gpu).source)).toEqual(['right'])
  const [y] = kernel.params.filter(({ name }) => name === 'y')
  const body = [...kernel.body, ...kernel.body.map((statement) => ({ ...statement, buffer: y! }) as typeof statement)]
  const written = { ...kernel, body }
  expect(fours(sourceOf({ ...written, params: buffersOf(written) }))).toEqual(['left'])
})
test('float16 tiles where the device has float16, with sums in float32', () => {
  const kernel = productOf({ rows: 32, columns: 32, inner: 32 }, { left: false, right: false }, 'float16')
  const [on, off] = [sourceOf(kernel, { ...gpu, half: true }), sourceOf(kernel)]
  expect(on.startsWith('enable f16;\n')).toBe(true)
  expect(on).toMatch(/var<workgroup> leftTile: array<vec4<f16>, \d+>;/)
  expect(on).toMatch(
    /fn leftAt\(b: i32, at: i32, k: i32\) -> f16 \{[^}]*return bitcast<vec2<f16>>\(b\d\[.*\]\)\[.* & 1\];/,
  )
  expect(on).toContain('let x = vec4<f32>(leftTile[')
  expect(on).toContain('var sum0 = vec4<f32>();')
  expect(off).not.toContain('f16')
  expect(off).toMatch(/var<workgroup> leftTile: array<vec4<f32>, \d+>;/)
  // Where there is no workgroup memory nothing changes.
  expect(sourceOf(kernel, { ...gpu, shared: false, half: true })).not.toContain('f16')
})
