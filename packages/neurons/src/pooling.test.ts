/** Sums over populations and windows. */
import { type NDArray, OptionError, ShapeError, grad, jit, np, random } from '@fluxion/core'
import * as hk from '@fluxion/modules'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SumPoolOptions, populationCode, sumPool } from './index.ts'

test('a population code sums consecutive neurons of a class and keeps all other axes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
      (classes, size, leading) => {
        const x = random.randint(random.key(classes * 10 + size), [...leading, classes * size], 0, 9).astype('float32')
        const coded = populationCode(classes)(x)
        expect(coded.shape).toEqual([...leading, classes])
        for (let c = 0; c < classes; c++) {
          const own = np.arange(c * size, (c + 1) * size)
          expect(coded.get('...', c).toArray()).toEqual(np.take(x, own, { axis: -1 }).sum({ axis: -1 }).toArray())
        }
      },
    ),
  )
})
test('a population code wants whole populations', () => {
  expect(() => populationCode(3)(np.ones([2, 4]))).toThrow(ShapeError)
  expect(() => populationCode(3)(np.ones([2, 4]))).toThrow('expected a last axis of a multiple of 3, got f32[2,4]')
  expect(() => populationCode(0)).toThrow(OptionError)
})

const pool = (...args: Parameters<typeof sumPool>) => {
  const net = hk.transform((x: NDArray) => sumPool(...args)(x))
  return (x: NDArray) => net.apply({}, null, x)
}
const image = np.arange(0, 48).astype('float32').reshape([1, 4, 6, 2])

test('sums over windows of space, for each channel by itself', () => {
  const pooled = pool(2, 2, 'VALID')(image)
  const expected = image.reshape([1, 2, 2, 3, 2, 2]).sum({ axis: [2, 4] })
  expect(pooled.toArray()).toEqual(expected.toArray())
})
test('a window of the whole input loses no spike', () => {
  expect(pool([4, 6], [4, 6], 'VALID')(image).reshape([2]).toArray()).toEqual(image.sum({ axis: [0, 1, 2] }).toArray())
  expect(pool(3, 3, 'SAME')(image).sum().item()).toBe(image.sum().item())
})
test('lists are for all axes, or for space from its last axis backwards', () => {
  const expected = pool([1, 2, 3, 1], [1, 2, 3, 1], 'VALID')(image).toArray()
  expect(pool([2, 3], [2, 3], 'VALID')(image).toArray()).toEqual(expected)
  expect(pool([3], [3], 'VALID')(image).shape).toEqual([1, 4, 2, 2])
})
test('channels may stand on another axis, or be pooled too', () => {
  const first = image.transpose([0, 3, 1, 2])
  const options: SumPoolOptions = { channelAxis: 1 }
  expect(pool(2, 2, 'VALID', options)(first).transpose([0, 2, 3, 1]).toArray()).toEqual(
    pool(2, 2, 'VALID')(image).toArray(),
  )
  expect(pool(2, 2, 'VALID', { channelAxis: null })(image).shape).toEqual([1, 2, 3, 1])
})
test('its gradient counts the windows over each element, also jitted', () => {
  const f = grad((x: NDArray) => pool([2], [1], 'VALID')(x).sum())
  const x = np.ones([1, 1, 4, 1])
  for (const g of [f, jit(f)]) expect(g(x).ravel().toArray()).toEqual([1, 2, 2, 1])
})
test('works in float16', () => {
  expect(pool(2, 2, 'VALID')(np.ones([1, 2, 2, 1], { dtype: 'float16' })).dtype).toBe('float16')
})
test('refuses padding, sizes and axes that do not fit', () => {
  expect(() => pool(2, 2, 'FULL' as 'SAME')(image)).toThrow("sumPool: expected padding 'SAME' or 'VALID', got 'FULL'")
  expect(() => pool(0, 2, 'SAME')(image)).toThrow(OptionError)
  expect(() => pool([2, 2, 2], 2, 'SAME')(image)).toThrow(
    'expected 2 sizes for space or 4 for all axes of f32[1,4,6,2], got [2,2,2]',
  )
  expect(() => pool(2, 2, 'SAME', { channelAxis: 4 })(image)).toThrow(ShapeError)
})
