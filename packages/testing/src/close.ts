/** Comparison of arrays and trees of arrays with the tolerance that their dtypes allow. */
import { type DType, FluxionError, NDArray, type Nested, np, showAval, tree } from '@fluxion/core'
import { elementsOf } from './numbers.ts'

/** What a check of this package found to be wrong. */
export class CheckError extends FluxionError {}

export interface Tolerance {
  /** The error that is allowed relative to the expected value. */
  readonly rtol?: number
  /** The error that is allowed in addition, whatever the value. */
  readonly atol?: number
}

/** Some tens of units in the last place; integers and booleans must be equal. */
const byDtype: Partial<Record<DType, number>> = { bfloat16: 3e-2, float16: 4e-3, float32: 1e-5, float64: 1e-12 }
/** The tolerance of a comparison of two dtypes: that of the coarser one. */
export const toleranceOf = (...dtypes: readonly DType[]): number =>
  Math.max(...dtypes.map((dtype) => byDtype[dtype] ?? 0))

/** Whether two numbers agree: NaN with NaN, infinities with themselves. */
const agree = (x: number, y: number, rtol: number, atol: number): boolean =>
  Object.is(x, y) || x === y || (Number.isFinite(y) && Math.abs(x - y) <= atol + rtol * Math.abs(y))

const asArray = (x: unknown, like?: NDArray): NDArray =>
  x instanceof NDArray
    ? x
    : np.array(x as Nested, like === undefined || like.dtype === 'bool' ? {} : { dtype: 'float64' })

/** The index of the `flat`-th element, written as `[1,2]`; nothing for a scalar. */
export function showIndex(flat: number, shape: readonly number[]): string {
  if (shape.length === 0) return ''
  const index: number[] = []
  let rest = flat
  for (const dim of shape.toReversed()) {
    index.unshift(rest % dim)
    rest = Math.floor(rest / dim)
  }
  return `[${index.join(',')}]`
}

function differenceOfArrays(
  actual: NDArray,
  expected: unknown,
  path: string,
  { rtol, atol }: Tolerance,
): string | undefined {
  const wanted = asArray(expected, actual)
  const sameDtype = !(expected instanceof NDArray) || expected.dtype === actual.dtype
  if (!sameDtype || String(actual.shape) !== String(wanted.shape) || actual.ndim !== wanted.ndim) {
    const type = sameDtype ? { shape: wanted.shape, dtype: actual.dtype } : wanted.aval
    return `expected ${showAval(type)}${path === '' ? '' : ` at ${path}`}, got ${showAval(actual.aval)}`
  }
  const tolerance = toleranceOf(actual.dtype)
  const [relative, absolute] = [rtol ?? tolerance, atol ?? tolerance]
  const [x, y] = [elementsOf(actual), elementsOf(wanted)]
  const wrong = x.findIndex((value, i) => !agree(value, y[i]!, relative, absolute))
  if (wrong < 0) return undefined
  const count = x.filter((value, i) => !agree(value, y[i]!, relative, absolute)).length
  const others = count === 1 ? '' : `, and ${count - 1} more of ${x.length} elements differ`
  return `expected ${y[wrong]} at ${path}${showIndex(wrong, actual.shape) || (path === '' ? 'the root' : '')}, got ${x[wrong]} (rtol ${relative}, atol ${absolute})${others}`
}

/** Where two trees first differ by more than the tolerance, in words. */
function differenceOf(actual: unknown, expected: unknown, tolerance: Tolerance): string | undefined {
  if (actual instanceof NDArray) return differenceOfArrays(actual, expected, '', tolerance)
  const [structure, wanted] = [tree.structure(actual), tree.structure(expected)]
  if (!structure.equals(wanted)) return `expected a tree ${String(wanted)}, got ${String(structure)}`
  const expectedLeaves = tree.leaves(expected)
  for (const [i, [path, leaf]] of tree.leavesWithPath(actual).entries()) {
    const found = differenceOfArrays(asArray(leaf), expectedLeaves[i], path, tolerance)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Whether two arrays, or two trees of arrays, agree: in structure, shapes and dtypes exactly, in elements within a tolerance.
 *
 * NaN agrees with NaN. Elements agree if |x − y| ≤ atol + rtol·|y|; by default both are 1e-12 for float64, 1e-5 for float32, 4e-3 for
 * float16, 3e-2 for bfloat16, and 0 for integers and booleans.
 *
 * @param expected arrays, or for a single array also numbers in nested lists, whose dtype then does not count
 * @example
 * ```ts
 * import { allClose } from '@fluxion/testing'
 * import { np } from 'fluxion'
 * allClose(np.array([0.1, 0.2]).sum(), 0.3) // => true
 * allClose(np.array([1, 2]), [1, 2.1]) // => false
 * ```
 */
export const allClose = (actual: unknown, expected: unknown, tolerance: Tolerance = {}): boolean =>
  differenceOf(actual, expected, tolerance) === undefined

/**
 * Throw unless two arrays, or two trees of arrays, agree as in `allClose`; the message leads to the first element that does not.
 *
 * @throws CheckError
 * @example
 * ```ts
 * import { expectClose } from '@fluxion/testing'
 * import { np } from 'fluxion'
 * expectClose({ w: np.array([1, 2]) }, { w: np.array([1, 2]) })
 * ```
 */
export function expectClose(actual: unknown, expected: unknown, tolerance: Tolerance = {}): void {
  const found = differenceOf(actual, expected, tolerance)
  if (found !== undefined) throw new CheckError(`expectClose: ${found}`)
}
