/** Cutting arrays into several along an axis. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import * as lax from '../../primitive/movement.ts'
import { normalAxis, range } from '../../shape.ts'
import { sliceAxis } from '../cumulative.ts'
import { asArray } from '../promote.ts'

/** How many parts of equal size, or at which positions to cut. */
export type Sections = number | readonly number[]

/** Cut; unless sizes may differ by one, they must be equal. */
function parts(where: string, x: NDArray, sections: Sections, axis: number, uneven: boolean): NDArray[] {
  const size = x.shape[axis]!
  if (typeof sections !== 'number') {
    // positions may lie outside, and need not rise: what begins behind its end is empty
    const cuts = [0, ...sections, size]
    return range(cuts.length - 1).map((i) => sliceAxis(x, axis, cuts[i]!, i === cuts.length - 2 ? null : cuts[i + 1]!))
  }
  if (!Number.isInteger(sections) || sections < 1)
    throw new ShapeError(misuse(where, 'at least one section', String(sections)))
  const rest = size % sections
  if (rest !== 0 && !uneven) {
    throw new ShapeError(
      misuse(
        where,
        `a size of axis ${axis} that ${sections} divides`,
        showAval(x.aval),
        'np.arraySplit makes uneven parts',
      ),
    )
  }
  const small = Math.floor(size / sections)
  return lax.split(
    x,
    range(sections).map((i) => small + (i < rest ? 1 : 0)),
    axis,
  )
}

/**
 * Cut an array along an axis: into a number of parts of equal size, or at positions.
 *
 * @param options `axis`: the first by default
 *
 * @throws ShapeError if the parts cannot be equal
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.split(np.arange(6), 3)[1] // => [2, 3]
 * np.split(np.arange(6), [1, 4])[1] // => [1, 2, 3]
 * ```
 */
export function split(x: ArrayLike, sections: Sections, options: { axis?: number } = {}): NDArray[] {
  checkOptions('split', options, ['axis'])
  const a = asArray('split', x)
  return parts('split', a, sections, normalAxis('split', options.axis ?? 0, a.ndim), false)
}

/**
 * Cut an array along an axis into a number of parts, of which the first may be longer by one, or at positions.
 *
 * @param options `axis`: the first by default
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arraySplit(np.arange(5), 2)[0] // => [0, 1, 2]
 * ```
 */
export function arraySplit(x: ArrayLike, sections: Sections, options: { axis?: number } = {}): NDArray[] {
  checkOptions('arraySplit', options, ['axis'])
  const a = asArray('arraySplit', x)
  return parts('arraySplit', a, sections, normalAxis('arraySplit', options.axis ?? 0, a.ndim), true)
}

type Splitter = (x: ArrayLike, sections: Sections) => NDArray[]
const splitter =
  (where: string, axis: (x: NDArray) => number): Splitter =>
  (x, sections) => {
    const a = asArray(where, x)
    return parts(where, a, sections, normalAxis(where, axis(a), a.ndim), false)
  }

/**
 * Cut along the first axis.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.vsplit(np.array([[1, 2], [3, 4]]), 2)[1] // => [[3, 4]]
 * ```
 */
export const vsplit: Splitter = splitter('vsplit', () => 0)

/**
 * Cut along the second axis, a vector along its only one.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.hsplit(np.array([[1, 2], [3, 4]]), 2)[1] // => [[2], [4]]
 * ```
 */
export const hsplit: Splitter = splitter('hsplit', (x) => (x.ndim === 1 ? 0 : 1))

/**
 * Cut along the third axis.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.dsplit(np.zeros([1, 2, 4]), 2)[1].shape // => [1, 2, 2]
 * ```
 */
export const dsplit: Splitter = splitter('dsplit', () => 2)
