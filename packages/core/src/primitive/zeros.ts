/** Tangents that are known to be zero, made into arrays where an operation needs one, and added without computing. */
import type { NDArray } from '../array.ts'
import type { Aval } from '../ir/aval.ts'
import { type Tangent, Zero } from './define.ts'
import { addAny } from './elementwise.ts'
import { full } from './movement.ts'

/** Zeros of the given type. */
export const zerosLike = ({ shape, dtype, weakType }: Aval): NDArray => full(shape, 0, dtype, weakType)
/** A tangent as an array: a symbolic zero becomes an array of zeros. */
export const instantiate = (tangent: Tangent): NDArray => (tangent instanceof Zero ? zerosLike(tangent.aval) : tangent)
/** The sum of two tangents, of which a symbolic zero costs nothing. */
export const addTangents = (a: Tangent, b: Tangent): Tangent =>
  a instanceof Zero ? b : b instanceof Zero ? a : addAny(a, b)
