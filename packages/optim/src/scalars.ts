/** Arithmetic of hyperparameters: in doubles while they are numbers, so that they are rounded once, and traced when they are arrays. */
import { type ArrayLike, type NDArray, np } from '@fluxion/core'

/** A hyperparameter: a number, or an array f32[], which may be traced. */
export type Scalar = number | NDArray

const either =
  (ofNumbers: (x: number, y: number) => number, ofArrays: (x: ArrayLike, y: ArrayLike) => NDArray) =>
  (x: Scalar, y: Scalar): Scalar =>
    typeof x === 'number' && typeof y === 'number' ? ofNumbers(x, y) : ofArrays(x, y)

type Operation = (x: Scalar, y: Scalar) => Scalar
export const plus: Operation = either((x, y) => x + y, np.add)
export const minus: Operation = either((x, y) => x - y, np.subtract)
export const times: Operation = either((x, y) => x * y, np.multiply)
export const over: Operation = either((x, y) => x / y, np.divide)
export const toThe: Operation = either((x, y) => x ** y, np.power)
export const negate = (x: Scalar): Scalar => minus(0, x)
export const complement = (x: Scalar): Scalar => minus(1, x)
