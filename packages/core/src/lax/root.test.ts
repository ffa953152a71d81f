/** Roots and their implicit derivatives. */
import { expect, test } from 'vitest'
import '../setup.ts'
import type { NDArray } from '../array.ts'
import { jit } from '../control/jitted.ts'
import { CarryMismatchError } from '../errors.ts'
import * as np from '../numpy/index.ts'
import { grad, jvp } from '../transform/autodiff.ts'
import { vmap } from '../transform/vectorize.ts'
import * as lax from './index.ts'

type Scalar = (x: NDArray) => NDArray
/** Bisection, through which no derivative flows. */
const bisect = (f: Scalar, guess: NDArray): NDArray => {
  const [low, high] = lax.whileLoop(
    ([lo, hi]: [NDArray, NDArray]) => lax.gt(lax.sub(hi, lo), 1e-6),
    ([lo, hi]: [NDArray, NDArray]): [NDArray, NDArray] => {
      const middle = lax.mul(0.5, lax.add(lo, hi))
      const below = lax.lt(f(middle), 0)
      return [lax.select(below, middle, lo), lax.select(below, hi, middle)]
    },
    [lax.sub(guess, 8), lax.add(guess, 8)] as [NDArray, NDArray],
  )
  return lax.mul(0.5, lax.add(low, high))
}
const divide = (g: Scalar, y: NDArray): NDArray => lax.div(y, g(lax.fullLike(y, 1)))
const cubeRoot: Scalar = (a) =>
  lax.customRoot((x: NDArray) => lax.sub(lax.integerPow(x, 3), a), np.array(0), bisect, divide)

test('the derivative of a root is that of the implicit function, in both modes', () => {
  expect(cubeRoot(np.array(8)).item()).toBeCloseTo(2, 5)
  // (a^⅓)' = ⅓ a^−⅔
  expect(grad(cubeRoot)(8).item()).toBeCloseTo(1 / 12, 5)
  expect(jvp(cubeRoot, [np.array(8)], [np.array(2)])[1].item()).toBeCloseTo(1 / 6, 5)
})

test('roots are found in batches, in programs, and of trees', () => {
  expect(
    np.allclose(vmap(grad(cubeRoot))(np.array([1, 8, 27])), np.array([1 / 3, 1 / 12, 1 / 27]), { rtol: 1e-4 }).item(),
  ).toBe(1)
  expect(jit(grad(cubeRoot))(8).item()).toBeCloseTo(1 / 12, 5)
  const line = (a: NDArray): NDArray => {
    const solve = (f: (x: { x: NDArray }) => { x: NDArray }, { x }: { x: NDArray }) => ({ x: lax.sub(x, f({ x }).x) })
    return lax.customRoot(
      ({ x }: { x: NDArray }) => ({ x: lax.sub(x, lax.mul(a, 3)) }),
      { x: np.array(0) },
      solve,
      (_, y) => y,
    ).x
  }
  expect(line(np.array(2)).item()).toBe(6)
  expect(grad(line)(2).item()).toBe(3)
})

test('what solve returns beside the root is not differentiated', () => {
  const f = (a: NDArray): NDArray => {
    const [root, aux] = lax.customRoot(
      (x: NDArray) => lax.sub(x, a),
      np.array(0),
      (g, x) => [bisect(g, x), g(x)] as const,
      divide,
      { hasAux: true },
    )
    return lax.add(root, aux)
  }
  expect(f(np.array(3)).item()).toBeCloseTo(0, 5)
  expect(grad(f)(3).item()).toBeCloseTo(1, 5)
})

test('functions that change types are refused', () => {
  expect(() => lax.customRoot((x: NDArray) => lax.gt(x, 0), np.array(0), bisect, divide)).toThrow(CarryMismatchError)
  expect(() =>
    lax.customRoot(
      (x: NDArray) => x,
      np.array(0),
      () => np.zeros([2]),
      divide,
    ),
  ).toThrow(CarryMismatchError)
})
