/** Running averages of gradients, which most optimisers keep. */
import { type DType, type NDArray, np } from '@fluxion/core'
import { type Scalar, complement } from './scalars.ts'
import { mapTrees, safeIncrement } from './transformation.ts'

/** A tree of zeros, of each parameter's dtype unless one is named. */
export const zerosOf = (where: string, params: unknown, dtype?: DType): unknown =>
  mapTrees(where, (p) => np.zerosLike(p, dtype === undefined ? {} : { dtype }), params)
/** A tree of one value. */
export const filledOf = (where: string, params: unknown, value: Scalar): unknown =>
  mapTrees(where, (p) => np.fullLike(p, value), params)
/** A tree in another dtype, if one is named. */
export const castTo = <P>(where: string, given: P, dtype: DType | undefined): P =>
  dtype === undefined ? given : mapTrees(where, (x) => x.astype(dtype), given)

/** (1 − β) x + β m of one leaf. */
export const average = (x: NDArray, moment: NDArray, decay: Scalar): NDArray =>
  np.add(np.multiply(complement(decay), x), np.multiply(decay, moment))
/** m ← β m + (1 − β) g, leaf by leaf. */
export const firstMoment = <P>(where: string, grads: P, moments: unknown, decay: Scalar): P =>
  mapTrees(where, (g, m) => average(g, m!, decay), grads, moments)
/** v ← β v + (1 − β) g², leaf by leaf. */
export const secondMoment = <P>(where: string, grads: P, moments: unknown, decay: Scalar): P =>
  mapTrees(where, (g, v) => average(np.square(g), v!, decay), grads, moments)

/**
 * Undo the pull towards zero of an average that began there: m / (1 − βᵗ).
 *
 * @param count i32[], t: the number of values that went into the average
 */
export function biasCorrection<P>(where: string, moments: P, decay: Scalar, count: NDArray): P {
  const correction = np.subtract(1, np.power(decay, count))
  return mapTrees(where, (m) => m.div(correction.astype(m.dtype)), moments)
}
/** β m / (1 − βᵗ⁺¹) + (1 − β) g / (1 − βᵗ): the first moment as Nesterov's momentum has it (Dozat 2016). */
export const nesterovMoment = <P>(where: string, grads: P, moments: P, decay: Scalar, count: NDArray): P =>
  mapTrees(
    where,
    (g, m) => average(g, m!, decay),
    biasCorrection(where, grads, decay, count),
    biasCorrection(where, moments, decay, safeIncrement(count)),
  )
