/** Activation functions that bend at few points: rectifiers, their kin, and piecewise approximations. */
import type { ArrayLike, NDArray } from '../array.ts'
import { customJvp } from '../control/custom.ts'
import { checkOptions } from '../errors.ts'
import { asArray } from '../numpy/promote.ts'
import type { Unary } from '../types.ts'
import { add, divide, maximum, minimum, multiply, square } from '../numpy/ufuncs/arithmetic.ts'
import { greater, greaterEqual, less, lessEqual, logicalAnd } from '../numpy/ufuncs/comparison.ts'
import { expm1 } from '../numpy/ufuncs/exponential.ts'
import { clip, where } from '../numpy/ufuncs/selection.ts'

/** A number as a weak float also beside integers. */
const asFloat = (x: number): NDArray => asArray('nn', x)

const reluRule = customJvp((x: NDArray) => maximum(x, 0))
reluRule.defjvp(([x], [t]) => [reluRule(x), where(greater(x, 0), t, 0)])
/**
 * max(x, 0), with a derivative of 0 at 0.
 *
 * @example
 * ```ts
 * import { grad, nn, np } from 'fluxion'
 * nn.relu(np.array([-1, 0, 2])) // => [0, 0, 2]
 * grad(nn.relu)(0).item() // => 0
 * ```
 */
export const relu: Unary = (x: ArrayLike) => reluRule(asArray('relu', x))

const relu6Rule = customJvp((x: NDArray) => minimum(maximum(x, 0), asFloat(6)))
relu6Rule.defjvp(([x], [t]) => [relu6Rule(x), where(logicalAnd(greater(x, 0), less(x, 6)), t, 0)])
/** min(max(x, 0), 6), with a derivative of 0 at 0 and at 6. */
export const relu6: Unary = (x: ArrayLike) => relu6Rule(asArray('relu6', x))

/**
 * x where x ≥ 0, else x times a slope.
 *
 * @param options `negativeSlope`: 0.01 by default
 */
export function leakyRelu(x: ArrayLike, options: { negativeSlope?: ArrayLike } = {}): NDArray {
  checkOptions('leakyRelu', options, ['negativeSlope'])
  const array = asArray('leakyRelu', x)
  return where(greaterEqual(array, 0), array, multiply(options.negativeSlope ?? 0.01, array))
}

/**
 * x where x > 0, else α (eˣ − 1).
 *
 * @param options `alpha`: 1 by default
 * @see Clevert et al., 2015, "Fast and accurate deep network learning by exponential linear units"
 */
export function elu(x: ArrayLike, options: { alpha?: ArrayLike } = {}): NDArray {
  checkOptions('elu', options, ['alpha'])
  return eluOf(x, options.alpha ?? 1)
}
function eluOf(x: ArrayLike, alpha: ArrayLike): NDArray {
  const array = asArray('elu', x)
  const positive = greater(array, 0)
  // the branch that is not taken must not overflow, or its derivative would be NaN
  return where(positive, array, multiply(alpha, expm1(where(positive, asFloat(0), array))))
}

/**
 * max(x, 0) + α (e^(min(x, 0) / α) − 1), which unlike `elu` has a continuous derivative for every α.
 *
 * @param options `alpha`: 1 by default
 * @see Barron, 2017, "Continuously differentiable exponential linear units"
 */
export function celu(x: ArrayLike, options: { alpha?: ArrayLike } = {}): NDArray {
  checkOptions('celu', options, ['alpha'])
  const alpha = options.alpha ?? 1
  return add(maximum(x, asFloat(0)), multiply(alpha, expm1(divide(minimum(x, asFloat(0)), alpha))))
}

/**
 * λ elu(x, α), with the λ and α at which means of 0 and variances of 1 are kept from layer to layer.
 *
 * @see Klambauer et al., 2017, "Self-normalizing neural networks"
 */
export const selu: Unary = (x: ArrayLike) => multiply(1.0507009873554805, eluOf(x, 1.6732632423543772))

/** x kept between −1 and 1. */
export const hardTanh: Unary = (x: ArrayLike) => {
  const array = asArray('hardTanh', x)
  return where(greater(array, 1), 1, where(less(array, -1), -1, array))
}
/** relu6(x + 3) / 6, which resembles the logistic function. */
export const hardSigmoid: Unary = (x: ArrayLike) => divide(relu6(add(x, asFloat(3))), asFloat(6))
/** x · hardSigmoid(x). */
export const hardSilu: Unary = (x: ArrayLike) => multiply(asArray('hardSilu', x), hardSigmoid(x))
/** The other name of `hardSilu`. */
export const hardSwish: Unary = hardSilu

/** 0 up to −1, x from 1 on, and (x + 1)² / 4 between: a softplus that becomes 0. */
export const sparsePlus: Unary = (x: ArrayLike) => {
  const array = asArray('sparsePlus', x)
  const between = divide(square(add(array, asFloat(1))), 4)
  return where(lessEqual(array, asFloat(-1)), asFloat(0), where(greaterEqual(array, asFloat(1)), array, between))
}
/** 0 up to −1, 1 from 1 on, and (x + 1) / 2 between: the derivative of `sparsePlus`. */
export const sparseSigmoid: Unary = (x: ArrayLike) => multiply(0.5, clip(add(x, asFloat(1)), 0, 2))

/** x itself. */
export const identity: Unary = (x: ArrayLike) => asArray('identity', x)
