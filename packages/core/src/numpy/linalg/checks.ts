/** What the functions of `np.linalg` ask of their operands. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { dtypes } from '../../dtype.ts'
import { ShapeError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { promoteDtypesInexact } from '../promote.ts'

/** Matrices in the last two axes, of floats. */
export function matricesOf(where: string, x: ArrayLike): NDArray {
  const [a] = promoteDtypesInexact(where, x) as [NDArray]
  if (a.ndim < 2) throw new ShapeError(misuse(where, 'matrices in the last two axes', showAval(a.aval)))
  return a
}
/** The same, with as many rows as columns. */
export function squareOf(where: string, x: ArrayLike): NDArray {
  const a = matricesOf(where, x)
  if (a.shape.at(-1) !== a.shape.at(-2)) {
    throw new ShapeError(misuse(where, 'square matrices in the last two axes', showAval(a.aval)))
  }
  return a
}
/** The distance of 1 to the next number of a dtype. */
export const epsOf = (x: NDArray): number => dtypes[x.dtype].eps
