/** Dtypes of activations, their derivatives at kinks, and the initialisers' shapes. */
import { expect, test } from 'vitest'
import '../setup.ts'
import type { NDArray } from '../array.ts'
import { OptionError, ShapeError } from '../errors.ts'
import * as np from '../numpy/index.ts'
import { key } from '../random/key.ts'
import { grad } from '../transform/autodiff.ts'
import { vmap } from '../transform/vectorize.ts'
import * as nn from './index.ts'

const all = [
  nn.celu,
  nn.elu,
  nn.gelu,
  nn.hardSigmoid,
  nn.hardSilu,
  nn.hardTanh,
  nn.identity,
  nn.leakyRelu,
  nn.logSigmoid,
  nn.mish,
  nn.relu,
  nn.relu6,
  nn.selu,
  nn.sigmoid,
  nn.silu,
  nn.softSign,
  nn.softplus,
  nn.sparsePlus,
  nn.sparseSigmoid,
  nn.squareplus,
  nn.tanh,
] as readonly ((x: NDArray) => NDArray)[]

test('activations keep half precision, and weak types stay weak', () => {
  for (const f of all) {
    expect(f(np.array([1, -2], { dtype: 'float16' })).dtype).toBe('float16')
    expect(f(1 as never).weakType).toBe(true)
  }
})

test('rectifiers have the derivatives of JAX at their kinks', () => {
  const slopes = (f: (x: NDArray) => NDArray, ...at: number[]) => vmap(grad(f))(np.array(at)).toArray()
  expect(slopes(nn.relu, -1, 0, 1)).toEqual([0, 0, 1])
  expect(slopes(nn.relu6, 0, 3, 6, 7)).toEqual([0, 1, 0, 0])
  expect(slopes(nn.hardTanh, -1, 0, 1, 2)).toEqual([1, 1, 1, 0])
  expect(grad(grad(nn.relu))(2).item()).toBe(0)
})

test('of integers the rectifier gives integers', () => {
  expect(nn.relu(np.array([-1, 2], { dtype: 'int32' })).dtype).toBe('int32')
  expect(nn.relu6(np.array([-1, 9], { dtype: 'int32' })).dtype).toBe('float32')
})

test('glu needs an even axis', () => {
  expect(() => nn.glu(np.ones([3]))).toThrow(ShapeError)
})

test('orthogonal initialisers give orthonormal rows or columns', () => {
  for (const shape of [
    [4, 2],
    [2, 4],
    [2, 2, 3],
  ]) {
    const q = np.reshape(nn.initializers.orthogonal()(key(1), shape), [-1, shape.at(-1)!])
    const [rows, columns] = q.shape
    const gram = rows < columns ? np.matmul(q, q.T) : np.matmul(q.T, q)
    expect(np.allclose(gram, np.eye(Math.min(rows, columns)), { atol: 1e-5 }).item()).toBe(1)
  }
})

test('initialisers take a dtype, at last from the call', () => {
  const { constant, normal, zeros } = nn.initializers
  expect(zeros(key(0), [2], { dtype: 'float16' }).dtype).toBe('float16')
  expect(normal({ dtype: 'float16' })(key(0), [2]).dtype).toBe('float16')
  expect(normal({ dtype: 'float16' })(key(0), [2], { dtype: 'bfloat16' }).dtype).toBe('bfloat16')
  expect(constant(np.array([1, 2]))(key(0), [2, 2]).toArray()).toEqual([
    [1, 2],
    [1, 2],
  ])
})

test('initialisers refuse what they cannot scale', () => {
  const { heNormal, varianceScaling, deltaOrthogonal } = nn.initializers
  expect(() => heNormal()(key(0), [3])).toThrow(ShapeError)
  expect(() => varianceScaling(1, 'fan_in' as never, 'normal')).toThrow(OptionError)
  expect(() => varianceScaling(1, 'fanIn', 'gaussian' as never)).toThrow(OptionError)
  expect(() => deltaOrthogonal()(key(0), [3, 4, 2])).toThrow(ShapeError)
})

test('attention refuses heads that do not divide', () => {
  const q = np.ones([1, 2, 3, 4])
  const k = np.ones([1, 2, 2, 4])
  expect(() => nn.dotProductAttention(q, k, k)).toThrow(ShapeError)
})
