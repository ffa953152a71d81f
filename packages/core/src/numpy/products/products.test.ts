/** Products against plain loops: matrix products over leading axes, and every formula of `einsum`. */
import '../../setup.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import { OptionError, ShapeError } from '../../errors.ts'
import { grad } from '../../transform/autodiff.ts'
import { vmap } from '../../transform/vectorize.ts'
import * as np from '../index.ts'

/** Zeros of both signs count as one: sums of products differ in them. */
const elements = (x: NDArray): number[] => Array.from(x.dataSync(), (value) => value + 0)
/** Small integers, whose sums are exact. */
const filled = (shape: readonly number[], seed: number): NDArray => {
  const size = shape.reduce((n, dim) => n * dim, 1)
  return np.reshape(np.array(Array.from({ length: size }, (_, i) => ((i * 7 + seed * 5) % 11) - 5)), shape)
}
const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((n, dim) => n * dim, 1))

/** What a formula without ellipsis means: a loop over all letters. */
function loops(
  inputs: readonly string[],
  output: string,
  operands: readonly NDArray[],
  sizes: Readonly<Record<string, number>>,
): number[] {
  const letters = [...new Set(inputs.join(''))].sort()
  const at = (labels: string, places: Readonly<Record<string, number>>, shape: readonly number[]): number => {
    const strides = stridesOf(shape)
    return [...labels].reduce((sum, label, axis) => sum + strides[axis]! * places[label]!, 0)
  }
  const shape = [...output].map((label) => sizes[label]!)
  const result = new Array<number>(shape.reduce((n, dim) => n * dim, 1)).fill(0)
  const data = operands.map(elements)
  const walk = (rest: readonly string[], places: Readonly<Record<string, number>>): void => {
    const [label, ...others] = rest
    if (label === undefined) {
      const product = inputs.reduce((value, labels, i) => value * data[i]![at(labels, places, operands[i]!.shape)]!, 1)
      result[at(output, places, shape)]! += product
      return
    }
    for (let i = 0; i < sizes[label]!; i++) walk(others, { ...places, [label]: i })
  }
  walk(letters, {})
  return result
}

const sizes = { a: 2, b: 3, c: 2, d: 1 }
const term = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }).map((list) => list.join(''))
const formulas = fc.array(term, { minLength: 1, maxLength: 3 }).chain((inputs) => {
  const letters = [...new Set(inputs.join(''))]
  return fc.tuple(
    fc.constant(inputs),
    fc.shuffledSubarray(letters).map((list) => list.join('')),
  )
})

test('a formula means a loop over its letters', () => {
  fc.assert(
    fc.property(formulas, fc.constantFrom('greedy' as const, 'left' as const), ([inputs, output], optimize) => {
      const operands = inputs.map((labels, i) =>
        filled(
          [...labels].map((label) => sizes[label as 'a']),
          i,
        ),
      )
      const result = np.einsum(`${inputs.join(',')}->${output}`, ...operands, { optimize })
      expect([...result.shape]).toEqual([...output].map((label) => sizes[label as 'a']))
      expect(elements(result)).toEqual(loops(inputs, output, operands, sizes))
    }),
  )
})

test('an ellipsis is the letters that it stands for', () => {
  const [x, y] = [filled([2, 3, 2], 0), filled([2, 3], 1)]
  expect(elements(np.einsum('...i,i...->...', x, y))).toEqual(elements(np.einsum('abi,ib->ab', x, y)))
})

test('matrix products over leading axes are products of each pair of matrices', () => {
  const dims = fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 2 })
  fc.assert(
    fc.property(dims, fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }), fc.nat(2), (batch, ones, drop) => {
      const left = batch.map((size, i) => (ones[i] ? 1 : size))
      const right = batch.slice(Math.min(drop, batch.length))
      const [x, y] = [filled([...left, 2, 3], 0), filled([...right, 3, 2], 1)]
      const product = np.matmul(x, y)
      const [p, q] = [np.broadcastTo(x, [...batch.map((size, i) => (ones[i] && i < drop ? 1 : size)), 2, 3]), y]
      const wide = product.shape.slice(0, -2)
      const expected = np.sum(
        np.multiply(
          np.expandDims(np.broadcastTo(p, [...wide, 2, 3]), -1),
          np.expandDims(np.broadcastTo(q, [...wide, 3, 2]), -3),
        ),
        { axis: -2 },
      )
      expect([...product.shape]).toEqual([...expected.shape])
      expect(elements(product)).toEqual(elements(expected))
    }),
  )
})

test('products of pairs agree with their formulas', () => {
  const [x, y] = [filled([2, 3], 0), filled([4, 3], 1)]
  expect(elements(np.inner(x, y))).toEqual(elements(np.einsum('ij,kj->ik', x, y)))
  expect(elements(np.outer(x, y))).toEqual(elements(np.einsum('i,j', np.ravel(x), np.ravel(y))))
  expect(elements(np.kron(x, y))).toEqual(elements(np.reshape(np.einsum('ij,kl->ikjl', x, y), [8, 9])))
  expect(elements(np.tensordot(x, y, { axes: [1, 1] }))).toEqual(elements(np.matmul(x, np.transpose(y))))
  expect(elements(np.vecdot(x, filled([3], 2)))).toEqual(elements(np.matvec(x, filled([3], 2))))
})

test('gradients of a product are products with the other operand', () => {
  const [x, y, w] = [filled([2, 3], 0), filled([3, 4], 1), filled([2, 4], 2)]
  const [gx, gy] = grad((a: NDArray, b: NDArray) => np.vdot(np.matmul(a, b), w), { argnums: [0, 1] })(x, y) as [
    NDArray,
    NDArray,
  ]
  expect(elements(gx)).toEqual(elements(np.matmul(w, y.T)))
  expect(elements(gy)).toEqual(elements(np.matmul(x.T, w)))
})

test('a map of products is a product over a leading axis', () => {
  const [x, y] = [filled([5, 2, 3], 0), filled([3, 2], 1)]
  expect(elements(vmap((a: NDArray) => np.matmul(a, y))(x))).toEqual(elements(np.matmul(x, y)))
})

test('contracting in order of size leaves small products between', () => {
  expect(np.einsumPath('ij,jk,kl->il', np.ones([9, 9]), np.ones([9, 9]), np.ones([9, 1]))).toEqual([
    [1, 2],
    [0, 1],
  ])
})

test('vectorize applies along leading axes, which broadcast', () => {
  const f = np.vectorize((m: NDArray, v: NDArray) => [np.matmul(m, v), np.sum(v)] as const, {
    signature: '(m,n),(n)->(m),()',
  })
  const [x, y] = [filled([4, 1, 2, 3], 0), filled([5, 3], 1)]
  const [product, total] = f(x, y)
  expect([...product.shape]).toEqual([4, 5, 2])
  expect([...total.shape]).toEqual([4, 5])
  expect(elements(product)).toEqual(elements(np.matvec(x, y)))
})

test('misuse is refused with what was expected', () => {
  const x = filled([2, 3], 0)
  const cases: readonly (readonly [() => unknown, new (message: string) => Error, string])[] = [
    [() => np.matmul(x, x), ShapeError, 'f32[2,3] and f32[2,3]'],
    [() => np.matmul(x, 2), ShapeError, 'rank 1 or more'],
    [() => np.dot(x, x), ShapeError, 'axis 1 on the left and axis 0 on the right'],
    [() => np.tensordot(x, x, { axes: 3 }), ShapeError, '3 axes to sum over'],
    [() => np.einsum('ij', filled([2], 0)), ShapeError, 'an array of rank 1'],
    [() => np.einsum('ij,jk->ik', x), ShapeError, '2 arrays'],
    [() => np.einsum('ij,jk->ik', x, x), ShapeError, "one size for 'j'"],
    [() => np.einsum('ij->ik', x), ShapeError, "'k'"],
    [() => np.einsum('i?->i', x), ShapeError, 'letters'],
    [() => np.einsum('ij->i->j', x), ShapeError, "'->'"],
    [() => np.einsum('ij->', x, { optimise: true } as never), OptionError, "'optimise'"],
    [() => np.einsum('ij,jk->', x, x.T, { optimize: [[0, 2]] }), OptionError, 'pairs of positions'],
    [() => np.matmul(x, x.T, { precision: 'best' as 'high' }), OptionError, 'precision'],
    [() => np.cross(filled([4], 0), filled([3], 0)), ShapeError, '2 or 3 components'],
    [() => np.vectorize(np.matmul, { signature: '(m,n)' }), OptionError, 'a signature such as'],
    [
      () => np.vectorize(np.matmul, { signature: '(m,n),(n)->(m)' })(x, filled([2], 0)),
      ShapeError,
      'size 3 for the core axis n',
    ],
  ]
  for (const [run, kind, text] of cases) {
    expect(run).toThrow(kind)
    expect(run).toThrow(text)
  }
})
