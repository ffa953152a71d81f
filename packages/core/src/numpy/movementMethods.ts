/** The methods of arrays that move elements, choose some, or contract axes. `methods.ts` has the others. */
import type { ArrayLike, NDArray } from '../array.ts'
import { ShapeError, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import type { Axis, Shape } from '../shape.ts'
import { type At, at } from './indexing/at.ts'
import { get } from './indexing/get.ts'
import type { Positions } from './indexing/positions.ts'
import { type TakeOptions, take } from './indexing/take.ts'
import { matrixTranspose, swapaxes, transpose } from './manipulation/axes.ts'
import { type DiagonalOptions, diagonal } from './manipulation/diagonal.ts'
import { type RepeatOptions, repeat } from './manipulation/repeat.ts'
import { ravel, reshape, squeeze } from './manipulation/shapes.ts'
import { installGetters, installMethods } from './methods.ts'
import type { ProductOptions } from './products/contract.ts'
import { dot, matmul } from './products/matmul.ts'
import type { Index } from './slice.ts'
import { type SearchOptions, type SizeOptions, nonzero, searchsorted } from './sorting/search.ts'
import { type SortOptions, argsort, sort } from './sorting/sort.ts'

export interface MovementMethods {
  reshape(shape: Shape | number): NDArray
  transpose(axes?: readonly number[] | null): NDArray
  ravel(): NDArray
  flatten(): NDArray
  squeeze(options?: { axis?: Axis }): NDArray
  swapaxes(axis1: number, axis2: number): NDArray
  repeat(repeats: NDArray | number | readonly number[], options?: RepeatOptions): NDArray
  take(indices: Positions, options?: TakeOptions): NDArray
  sort(options?: SortOptions): NDArray
  argsort(options?: SortOptions): NDArray
  diagonal(options?: DiagonalOptions): NDArray
  nonzero(options?: SizeOptions): NDArray[]
  searchsorted(values: ArrayLike, options?: SearchOptions): NDArray
  dot(y: ArrayLike, options?: ProductOptions): NDArray
  matmul(y: ArrayLike, options?: ProductOptions): NDArray
  /**
   * Read at an index, as NumPy does: positions drop their axis, ranges (`'1:3'`, `slice(1, 3)`) keep it, `null` makes an axis, `'...'`
   * stands for the axes not named, arrays of integers are read at all their elements, masks choose.
   */
  get(...index: readonly Index[]): NDArray
  /** Copies with the elements at an index changed: `x.at(0).set(1)`. */
  at(...index: readonly Index[]): At
}
export interface MovementProperties {
  /** The axes in reverse order. */
  readonly T: NDArray
  /** The last two axes exchanged. */
  readonly mT: NDArray
}

installMethods<MovementMethods>({
  reshape,
  transpose,
  ravel,
  flatten: ravel,
  squeeze,
  swapaxes,
  repeat,
  take,
  sort,
  argsort,
  diagonal,
  nonzero,
  searchsorted,
  dot,
  matmul,
  get,
  at,
})
installGetters({
  T: (x) => transpose(x),
  mT(x) {
    if (x.ndim < 2) throw new ShapeError(misuse('mT', 'an array of rank 2 or more', showAval(x.aval)))
    return matrixTranspose(x)
  },
})
