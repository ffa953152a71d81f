/** The associative scan: all folds of beginnings, in logarithmic depth. */
import type { NDArray } from '../array.ts'
import { ShapeError, checkOptions, misuse } from '../errors.ts'
import { checkFunction, flattenArrays } from '../flat.ts'
import { showAval } from '../ir/aval.ts'
import { associativeScan as scanArrays } from '../primitive/associative.ts'
import { rev } from '../primitive/movement.ts'
import { normalAxis } from '../shape.ts'
import { assertSameStructure, unflatten } from '../tree.ts'

/**
 * Fold every beginning of an axis with an associative operation, of which O(n) are done in O(log n) steps; differentiable as written.
 *
 * @param f from two trees of elements to one; called on slices along the axis, so it must work elementwise over it
 * @param elements a tree of arrays of one size along the axis
 * @param options `reverse`: fold endings instead; `axis`: 0 by default
 * @throws ShapeError if sizes along the axis differ; TreeError if `f` changes the structure
 * @see Blelloch, 1990, "Prefix sums and their applications"
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.associativeScan(lax.add, np.array([1, 2, 3, 4])) // => [1, 3, 6, 10]
 * ```
 */
export function associativeScan<T>(
  f: (a: T, b: T) => T,
  elements: T,
  options: { reverse?: boolean; axis?: number } = {},
): T {
  const where = 'associativeScan'
  checkFunction(where, f)
  checkOptions(where, options, ['reverse', 'axis'])
  const { leaves, def, paths } = flattenArrays(where, elements)
  if (leaves.length === 0) return elements
  const axis = normalAxis(where, options.axis ?? 0, leaves[0]!.ndim)
  const size = leaves[0]!.shape[axis]
  if (leaves.some((leaf) => leaf.shape[axis] !== size)) {
    const got = leaves
      .map((leaf, i) => `${showAval(leaf.aval)}${paths[i] === '' ? '' : ` at ${paths[i]}`}`)
      .join(' and ')
    throw new ShapeError(misuse(where, `arrays of one size along axis ${axis}`, got))
  }
  const turned = (x: NDArray): NDArray => (options.reverse === true ? rev(x, [axis]) : x)
  const combine = (a: readonly NDArray[], b: readonly NDArray[]): readonly NDArray[] => {
    const out = flattenArrays(`${where}: the result`, f(unflatten(def, a) as T, unflatten(def, b) as T))
    assertSameStructure(where, def, out.def)
    return out.leaves
  }
  const scanned = scanArrays(combine, leaves.map(turned), axis)
  return unflatten(def, scanned.map(turned)) as T
}
