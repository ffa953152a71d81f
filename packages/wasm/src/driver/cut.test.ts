// Which kernels are cut for threads, and into what.
import {
  Buffer,
  Local,
  LoopVar,
  type Nest,
  type Product,
  convert,
  f32,
  flatIndex,
  i32,
  indexMul,
  load,
  local,
  mul,
  store,
  variable,
} from '@fluxion/compiler'
import { expect, test } from 'vitest'
import { blocksOfCall, partsOf, patienceOf, readyToCut } from './cut.ts'

const large = 2 ** 22
const [x, out] = [new Buffer('x', 'float32', large), new Buffer('out', 'float32', large)]
function nest(size: number, body: (i: LoopVar) => Nest['body']): Nest {
  const i = new LoopVar('i', size)
  return { kind: 'nest', name: 'nest', params: [x, out], grid: [i], body: body(i) }
}
const doubling = (i: LoopVar): Nest['body'] => [store(out, variable(i), mul(load(x, variable(i)), f32(2)))]

function product(rows: number, columns: number, inner: number, turned = false, batch = 1): Product {
  const [b, i, j, k] = [
    new LoopVar('b', batch),
    new LoopVar('i', rows),
    new LoopVar('j', columns),
    new LoopVar('k', inner),
  ]
  const at = (...vars: LoopVar[]) =>
    flatIndex(
      vars.map(variable),
      vars.map(({ extent }) => extent),
    )
  const sum = new Local('sum', 'f32')
  return {
    kind: 'product',
    name: 'product',
    params: [x, out],
    batch: batch === 1 ? [] : [b],
    rows: [i],
    columns: [j],
    inner: [k],
    left: load(x, turned ? at(k, i) : at(i, k)),
    right: load(x, at(k, j)),
    sum,
    body: [store(out, at(b, i, j), local(sum))],
  }
}
const extents = (vars: readonly LoopVar[]): number[] => vars.map(({ extent }) => extent)
const cut = (kernel: Product) => readyToCut(kernel) as Product

test('long nests are cut into parts, short ones stay whole', () => {
  expect(partsOf(nest(1000, doubling), 1000)).toBe(1)
  expect(partsOf(nest(large, doubling), large)).toBe(16)
  expect(partsOf(nest(large, doubling), 5)).toBe(5)
  expect(partsOf(nest(1000, doubling), 1000, 0)).toBe(32)
  expect(partsOf(nest(0, doubling), 0, 0)).toBe(1)
})
test('nests that run in lanes, or reduce in lanes, are cut only if they are longer', () => {
  const [size, reversed] = [2 ** 17, new Buffer('reversed', 'float32', large)]
  const total = new Local('total', 'f32')
  const summing = (along: number): Nest => {
    const r = new LoopVar('r', size / 64)
    const value = load(x, indexMul(variable(r), along))
    const sum: Nest['body'][number] = {
      op: 'reduce',
      variables: [r],
      accumulators: [{ into: total, combine: 'add', value }],
    }
    return nest(64, (i) => [sum, store(out, variable(i), local(total))])
  }
  const gathering = (i: LoopVar): Nest['body'] => [
    store(out, variable(i), load(x, convert('i32', load(reversed, indexMul(variable(i), 3))))),
  ]
  expect(partsOf(nest(2 * size, doubling), size)).toBe(1)
  expect(partsOf(nest(2 * size, gathering), size)).toBeGreaterThan(1)
  expect(partsOf(summing(1), 64)).toBe(1)
})
test('nests whose points add to the same elements stay whole', () => {
  const adding = (i: LoopVar): Nest['body'] => [
    { op: 'update', combine: 'add', buffer: out, index: i32(0), value: load(x, variable(i)) },
  ]
  expect(partsOf(nest(large, adding), large, 0)).toBe(1)
})
test('columns of large products are cut in groups, wider ones where the left operand is arranged for each', () => {
  const plain = cut(product(1024, 1024, 1024))
  expect([extents(plain.batch), extents(plain.columns)]).toEqual([[16], [64]])
  expect(partsOf(plain, 16 * 171)).toBe(16)
  expect(extents(cut(product(1024, 1024, 1024, true)).batch)).toEqual([4])
  const odd = product(1024, 1023, 1024)
  expect(readyToCut(odd)).toBe(odd)
  // by rows
  expect(partsOf(odd, 171)).toBe(2)
})
test('small products and those of a batch stay as they are; a batch goes product by product', () => {
  const small = product(32, 64, 32)
  expect(readyToCut(small)).toBe(small)
  expect(partsOf(small, 6)).toBe(1)
  const many = product(128, 128, 128, false, 64)
  expect(readyToCut(many)).toBe(many)
  expect(partsOf(many, 64 * 22)).toBe(16)
})
test('a call that would be silent for long is cut; how long one may be depends on what it does', () => {
  const huge = product(2 ** 14, 2 ** 14, 2 ** 14)
  expect(blocksOfCall(huge, 2731)).toBeLessThan(2731)
  expect(blocksOfCall(product(32, 64, 32), 6)).toBe(6)
  const usual = patienceOf(nest(large, doubling), large, large / 64)
  expect(usual).toBeLessThan(700)
  const searching = (i: LoopVar): Nest['body'] => [
    { op: 'while', condition: load(new Buffer('go', 'bool', 1), i32(0)), body: doubling(i) },
  ]
  expect(patienceOf(nest(1, searching), 1, 1)).toBeGreaterThan(10_000)
})
