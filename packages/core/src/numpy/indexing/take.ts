/** Reading along one axis at the positions that an array lists. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { IndexError, OptionError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { type IndexMode, gather } from '../../primitive/indexing.ts'
import * as lax from '../../primitive/movement.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { normalAxis, range } from '../../shape.ts'
import { ravel } from '../manipulation/shapes.ts'
import { asArray } from '../promote.ts'
import { remainder } from '../ufuncs/arithmetic.ts'
import { type Positions, type Promises, asPositions, fromFront } from './positions.ts'

export interface TakeOptions extends Promises {
  /** The axis to read along; without it the flattened array is read. */
  axis?: number | null
  /** Positions that do not exist: `fill` gives NaN (the default), `clip` the nearest element, `wrap` counts on from the other end. */
  mode?: 'fill' | 'clip' | 'wrap'
  /** What `fill` gives: NaN by default, of integers the smallest if they are signed, the largest if not. */
  fillValue?: number
}

// for each mode what the gather is told, and how positions are prepared for it
const modes: Readonly<Record<string, readonly [IndexMode, (indices: NDArray, size: number) => NDArray]>> = {
  fill: ['fill', fromFront],
  clip: ['clip', (indices) => indices],
  wrap: ['promiseInBounds', (indices, size) => remainder(indices, scalarLike(indices, size))],
}

/**
 * The elements, or the slices along an axis, at the positions that an array or list of integers names. Negative positions count from
 * the end; those that do not exist give NaN, see `mode`.
 *
 * @throws IndexError for positions that are not integers, and for positions on an empty axis
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.take(np.array([1, 2, 3]), [2, 0, 7]) // => [3, 1, NaN]
 * np.take(np.array([[1, 2], [3, 4]]), [1], { axis: 1 }) // => [[2], [4]]
 * ```
 */
export function take(x: ArrayLike, indices: Positions, options: TakeOptions = {}): NDArray {
  checkOptions('take', options, ['axis', 'mode', 'fillValue', 'uniqueIndices', 'indicesAreSorted'])
  const { axis = null, mode = 'fill', fillValue, uniqueIndices, indicesAreSorted } = options
  const row = Object.hasOwn(modes, mode) ? modes[mode] : undefined
  if (row === undefined)
    throw new OptionError(misuse('take', "a mode of 'fill', 'clip' or 'wrap'", `'${String(mode)}'`))
  const given = asArray('take', x)
  const a = axis === null ? ravel(given) : given
  const at = axis === null ? 0 : normalAxis('take', axis, a.ndim)
  const places = asPositions('take', indices)
  const size = a.shape[at]!
  if (size === 0 && places.size > 0) {
    throw new IndexError(
      misuse('take', `no positions on the empty axis ${at} of ${showAval(a.aval)}`, showAval(places.aval)),
    )
  }
  const outer = a.shape.slice(0, at)
  const inner = a.shape.slice(at + 1)
  if (places.size === 0) return lax.full([...outer, ...places.shape, ...inner], 0, a.dtype, a.weakType)
  const prepared = row[1](places, size)
  return gather(a, lax.expandDims(prepared, [prepared.ndim]), {
    dimensionNumbers: {
      offsetDims: [...range(at), ...range(inner.length, at + places.ndim)],
      collapsedSliceDims: [at],
      startIndexMap: [at],
    },
    sliceSizes: [...outer, 1, ...inner],
    mode: row[0],
    ...(fillValue === undefined ? {} : { fillValue }),
    uniqueIndices: uniqueIndices ?? false,
    indicesAreSorted: indicesAreSorted ?? false,
  })
}
