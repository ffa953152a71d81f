/** The shapes of `np`'s functions, for the compiler. */
import type { ArrayLike, NDArray } from '../array.ts'
import type { DType } from '../dtype.ts'
import type { Axis } from '../shape.ts'

// Inference reads the last signature, so that `vmap(np.tanh)` sees arrays, while calls may pass numbers.
export interface Reduce<Options = ReduceOptions> {
  (x: ArrayLike, options?: Options): NDArray
  (x: NDArray, options?: Options): NDArray
}

/** What every reduction over several axes takes. */
export interface AxisOptions {
  /** One axis, several, or all of them (`null`, the default). */
  axis?: Axis
  /** Keep the reduced axes, with size 1. */
  keepdims?: boolean
}
/** With a choice of elements: those where `where`, which broadcasts against the array, is true. */
export interface MaskedOptions extends AxisOptions {
  where?: NDArray
}
/** Reductions that start from a value of the caller's. */
export interface ExtremeOptions extends MaskedOptions {
  initial?: ArrayLike
}
export interface ReduceOptions extends ExtremeOptions {
  /** The dtype of the result, to which elements are converted first. */
  dtype?: DType
}
export interface MeanOptions extends MaskedOptions {
  dtype?: DType
}
export interface VarOptions extends MeanOptions {
  /** Divide by the number of elements less this. */
  ddof?: number
  /** The same by the name of the array API; only one of the two may be given. */
  correction?: number
}
export interface ArgOptions {
  /** The axis to search along; `null`, the default, searches the flattened array. */
  axis?: number | null
  keepdims?: boolean
}
export interface CumulativeOptions {
  /** The axis to run along; `null`, the default, runs along the flattened array. */
  axis?: number | null
  dtype?: DType
}
export interface DtypeOption {
  dtype?: DType
}
