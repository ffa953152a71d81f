// What random programs found, each as small as it became.
import { type NDArray, lax, np } from 'fluxion'
import { expect, test } from 'vitest'
import { deviceOf } from './devices.ts'
import { firstDifference } from './stages.ts'

const programs: readonly (readonly [what: string, f: (x: NDArray) => NDArray[], shape: readonly number[]])[] = [
  [
    'results that are one value in several shapes each have their elements',
    (x) => {
      const y = np.abs(x).add(1)
      return [y, y.reshape([1, 12]), y.reshape([3, 4]), y]
    },
    [12],
  ],
  [
    'products of rows that run backwards',
    (x) => {
      const y = lax.rev(x, [0, 1])
      return [
        lax.dotGeneral(y, y, [
          [[1], [1]],
          [[], []],
        ]),
        lax.dotGeneral(y, x, [
          [[1], [1]],
          [[], []],
        ]),
      ]
    },
    [5, 64],
  ],
  [
    'what is made of the sums of a small product, twice: written out once',
    (x) => {
      const c = x.div(64).astype('float16')
      const y = np.tanh(np.sin(lax.dot(np.tile(c, [2, 1]), c)))
      return [np.round(y), np.round(y.mul(0.5)), np.sign(y.var({ axis: 1 }))]
    },
    [7, 7],
  ],
]
test.each(programs)('%s', async (_, f, shape) => {
  const x = np
    .arange(shape.reduce((a, b) => a * b, 1))
    .sub(3)
    .reshape([...shape])
  const [reference, device] = [await deviceOf('reference'), await deviceOf('wasm')]
  expect(
    await firstDifference(f as (...args: NDArray[]) => NDArray[], [x.astype('float32')], { reference, device }),
  ).toBe(undefined)
})
