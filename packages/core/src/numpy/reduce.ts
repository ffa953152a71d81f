/** What all reductions share: which axes, which elements, in which dtype, from which start. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, dtypes, isFloat } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { convert } from '../primitive/elementwise.ts'
import { expandDims } from '../primitive/movement.ts'
import { normalAxes } from '../shape.ts'
import { scalar } from '../trace.ts'
import { asArray, wide } from './promote.ts'
import { choose } from './select.ts'
import type { ReduceOptions } from './types.ts'

/** Where a reduction differs from others. */
export interface Reduction {
  /** The value that changes nothing; infinities stand for the least and the greatest value of the dtype. */
  readonly identity: number
  /** Whether the identity is the result for no elements; else these are an error. */
  readonly startless?: boolean
  readonly prepare?: (x: NDArray) => NDArray
  /** Small integers are widened to 32 bits, and 16-bit floats are accumulated in float32. */
  readonly accumulates?: boolean
  readonly reduce: (x: NDArray, axes: readonly number[]) => NDArray
  readonly combine: (x: NDArray, y: NDArray) => NDArray
}

/** The dtype in which sums and products of small integers have room. */
export function accumulatorOf(dtype: DType): DType {
  const { kind, bits } = dtypes[dtype]
  if (kind === 'float' || bits === 32) return dtype
  return kind === 'unsigned' ? 'uint32' : 'int32'
}

/** A value that the dtype has: infinities become the bounds of integers, anything positive is true. */
export function valueIn(dtype: DType, value: number): number {
  const { min, max } = dtypes[dtype]
  if (dtype === 'bool') return Number(value > 0)
  return isFloat(dtype) ? value : Math.max(min, Math.min(max, value))
}

/** Check the choice of elements, and let it match the array. */
export function checkWhere(where: string, mask: NDArray | undefined): NDArray | undefined {
  if (mask === undefined) return undefined
  const checked = asArray(where, mask)
  if (checked.dtype === 'bool') return checked
  throw new DtypeError(misuse(where, 'a boolean array as where', showAval(checked.aval), 'compare: x.ne(0)'))
}

/** How many elements each result is made of. */
export const countOf = (x: NDArray, axes: readonly number[]): number => axes.reduce((n, axis) => n * x.shape[axis]!, 1)

/** Put the reduced axes back with size 1, if that is wanted. */
export const kept = (result: NDArray, axes: readonly number[], keepdims: boolean | undefined): NDArray =>
  keepdims === true ? expandDims(result, axes) : result

/** A reduction as a function of `np`. */
export function reduceWith(where: string, row: Reduction, x: ArrayLike, options: ReduceOptions = {}): NDArray {
  const given = asArray(where, x)
  const mask = checkWhere(where, options.where)
  const axes = normalAxes(where, options.axis, given.ndim)
  if (row.startless === true && options.initial === undefined) checkStart(where, given, axes, mask)

  const prepared = row.prepare?.(given) ?? given
  const own = row.accumulates === true ? accumulatorOf(prepared.dtype) : prepared.dtype
  const dtype = options.dtype === undefined ? own : checkDtype(where, options.dtype)
  // a dtype that was asked for is also that of the computation
  const computed = row.accumulates === true && options.dtype === undefined ? wide(dtype) : dtype
  let elements = convert(prepared, computed)
  if (mask !== undefined) {
    const identity = scalar(valueIn(computed, row.identity), computed)
    elements = choose(mask, elements, identity)
    if (elements.ndim > given.ndim) throw new ShapeError(tooWide(where, given, mask))
  }
  let result = row.reduce(elements, axes)
  if (options.initial !== undefined) result = row.combine(initialOf(where, options.initial, computed), result)
  return convert(kept(result, axes, options.keepdims), dtype)
}

const tooWide = (where: string, x: NDArray, mask: NDArray): string =>
  misuse(where, `a where that broadcasts to ${showAval(x.aval)}`, showAval(mask.aval))

function checkStart(where: string, x: NDArray, axes: readonly number[], mask: NDArray | undefined): void {
  const remedy = `${where}(x, { initial }) gives the value to start from`
  if (mask !== undefined) {
    throw new OptionError(
      misuse(where, 'an initial value beside where, since it may choose no element', 'none', remedy),
    )
  }
  if (countOf(x, axes) === 0) {
    throw new ShapeError(misuse(where, 'at least one element to reduce', showAval(x.aval), remedy))
  }
}

function initialOf(where: string, initial: ArrayLike, dtype: DType): NDArray {
  const start = asArray(where, initial)
  if (start.ndim > 0) throw new ShapeError(misuse(where, 'an initial value that is a scalar', showAval(start.aval)))
  return convert(start, dtype)
}

/** Check that a dtype is one of floats. */
export function checkFloat(where: string, dtype: DType): DType {
  if (!isFloat(checkDtype(where, dtype))) throw new DtypeError(misuse(where, 'a floating dtype', dtype))
  return dtype
}
