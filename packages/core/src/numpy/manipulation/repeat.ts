/** Elements and arrays several times over. */
import { type ArrayLike, ConcreteArray, type NDArray } from '../../array.ts'
import { isInteger } from '../../dtype.ts'
import { ConcretizationError, DtypeError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert, sub } from '../../primitive/elementwise.ts'
import { scatterAdd } from '../../primitive/indexing.ts'
import * as lax from '../../primitive/movement.ts'
import { cumsum } from '../../primitive/cumulative.ts'
import { inserted, normalAxis, range } from '../../shape.ts'
import { fromHost, scalar } from '../../trace.ts'
import { checkShape } from '../create.ts'
import { asArray } from '../promote.ts'
import { take } from '../indexing/take.ts'
import { ravel } from './shapes.ts'

/**
 * Lay an array side by side with itself, along each axis as often as `repetitions` say; missing axes are added in front.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.tile(np.array([1, 2]), 2) // => [1, 2, 1, 2]
 * np.tile(np.array([1, 2]), [2, 1]) // => [[1, 2], [1, 2]]
 * ```
 */
export function tile(x: ArrayLike, repetitions: number | readonly number[]): NDArray {
  const a = asArray('tile', x)
  const given = checkShape('tile', repetitions)
  const rank = Math.max(a.ndim, given.length)
  const times = [...range(rank - given.length).map(() => 1), ...given]
  const shape = [...range(rank - a.ndim).map(() => 1), ...a.shape]
  const repeated = lax.broadcastInDim(
    a,
    shape.flatMap((size, i) => [times[i]!, size]),
    range(a.ndim).map((i) => 2 * (rank - a.ndim + i) + 1),
  )
  return lax.reshape(
    repeated,
    shape.map((size, i) => size * times[i]!),
  )
}

export interface RepeatOptions {
  /** The axis to repeat along; without it the flattened array is repeated. */
  axis?: number | null
  /** The size of the result along the axis: what is missing repeats the last element. Counts may be traced if it is given. */
  totalRepeatLength?: number
}

/**
 * Repeat each element along an axis: all as often, or each as often as its own count says.
 *
 * @throws ConcretizationError for counts that are traced, unless `totalRepeatLength` is given
 * @throws ShapeError unless there is one count or one for each element
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.repeat(np.array([1, 2]), 2) // => [1, 1, 2, 2]
 * np.repeat(np.array([[1, 2], [3, 4]]), [1, 2], { axis: 0 }) // => [[1, 2], [3, 4], [3, 4]]
 * ```
 */
export function repeat(
  x: ArrayLike,
  repeats: NDArray | number | readonly number[],
  options: RepeatOptions = {},
): NDArray {
  checkOptions('repeat', options, ['axis', 'totalRepeatLength'])
  const { axis = null, totalRepeatLength: total } = options
  const given = asArray('repeat', x)
  const a = axis === null || given.ndim === 0 ? ravel(given) : given
  const at = axis === null ? 0 : normalAxis('repeat', axis, a.ndim)
  const size = a.shape[at]!
  const counts = countsOf(repeats, size)
  if (typeof counts === 'number' && total === undefined) return evenly(a, counts, at)

  const listed = typeof counts === 'number' ? range(size).map(() => counts) : counts
  if (!Array.isArray(listed)) {
    if (total === undefined) {
      throw new ConcretizationError(
        misuse(
          'repeat',
          'counts whose values are known',
          listed.toString(),
          'the option totalRepeatLength fixes the size of the result',
        ),
      )
    }
    return take(a, positions(listed as NDArray, total), { axis: at, mode: 'clip' })
  }
  const places = (listed as readonly number[]).flatMap((count, i) => range(count).map(() => i))
  const length = total ?? places.length
  const filled = range(checkShape('repeat', length)[0]!).map((i) => places[i] ?? Math.max(0, size - 1))
  return take(a, fromHost({ shape: [length], dtype: 'int32', data: Int32Array.from(filled) }), {
    axis: at,
    mode: 'clip',
  })
}

function evenly(x: NDArray, count: number, axis: number): NDArray {
  const shape = inserted(x.shape, axis + 1, count)
  const repeated = lax.broadcastInDim(
    x,
    shape,
    range(x.ndim).map((i) => (i <= axis ? i : i + 1)),
  )
  return lax.reshape(
    repeated,
    x.shape.map((size, i) => (i === axis ? size * count : size)),
  )
}

/** One count, one for each element, or a traced array of them. */
function countsOf(repeats: NDArray | number | readonly number[], size: number): number | readonly number[] | NDArray {
  if (typeof repeats === 'number') return checkShape('repeat', repeats)[0]!
  const list = Array.isArray(repeats) ? (repeats as readonly number[]) : undefined
  const array = repeats as NDArray
  if (list === undefined && !isInteger(array.dtype)) {
    throw new DtypeError(
      misuse('repeat', 'counts that are integers', showAval(array.aval), "x.astype('int32') converts"),
    )
  }
  const shape = list === undefined ? array.shape : [list.length]
  if (shape.length > 1 || (shape.length === 1 && shape[0] !== 1 && shape[0] !== size)) {
    throw new ShapeError(
      misuse('repeat', `one count, or one for each of ${size} elements`, `counts of shape [${shape.join(',')}]`),
    )
  }
  if (list === undefined && !(array instanceof ConcreteArray))
    return shape[0] === size ? array : lax.broadcastInDim(ravel(array), [size], [0])
  const counts = checkShape('repeat', list ?? [...array.dataSync()])
  return counts.length === 1 ? counts[0]! : counts
}

/** For each place of the result the element that it repeats, by counting the elements that begin up to there. */
function positions(counts: NDArray, total: number): NDArray {
  const [length] = checkShape('repeat', total)
  const size = counts.size
  const wide = convert(counts, 'int32')
  const begins = sub(cumsum(wide, 0), wide)
  const dimensionNumbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] }
  const marks = scatterAdd(
    lax.full([length!], 0, 'int32'),
    lax.reshape(begins, [size, 1]),
    lax.full([size], 1, 'int32'),
    {
      dimensionNumbers,
      mode: 'drop',
    },
  )
  return sub(cumsum(marks, 0), scalar(1, 'int32'))
}
