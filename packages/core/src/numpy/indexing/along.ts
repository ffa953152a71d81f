/** Reading and writing at lists of positions that go along with the other axes, or with a mask. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { isSigned } from '../../dtype.ts'
import { IndexError, OptionError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import { gather } from '../../primitive/indexing.ts'
import * as lax from '../../primitive/movement.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { type Shape, broadcastShapes, normalAxis, range, stridesOf } from '../../shape.ts'
import { scalar } from '../../trace.ts'
import { checkShape } from '../create.ts'
import { stack } from '../manipulation/join.ts'
import { broadcastArrays, broadcastTo, ravel } from '../manipulation/shapes.ts'
import { asArray } from '../promote.ts'
import { any } from '../reductions.ts'
import { argsort } from '../sorting/sort.ts'
import { type SizeOptions, checkSized, flatnonzero, truth } from '../sorting/search.ts'
import { add, floorDivide, multiply, remainder } from '../ufuncs/arithmetic.ts'
import { less } from '../ufuncs/comparison.ts'
import { clip, where } from '../ufuncs/selection.ts'
import { at } from './at.ts'
import { type ScatterOptions, get } from './get.ts'
import { type Positions, asPositions, fromFront } from './positions.ts'
import { take } from './take.ts'

export interface AlongOptions {
  /** The axis that the positions are for, the last by default; `null` takes the flattened array. */
  axis?: number | null
  /** Positions that do not exist: `fill` gives NaN (the default), `clip` the nearest element; `promiseInBounds` says that there are none. */
  mode?: 'fill' | 'clip' | 'promiseInBounds'
  /** What `fill` gives: NaN by default, of integers the smallest if they are signed, the largest if not. */
  fillValue?: number
}

/** Array and positions of one rank, and the axis. */
function aligned(
  where_: string,
  x: ArrayLike,
  indices: Positions,
  axis: number | null,
): [x: NDArray, indices: NDArray, axis: number] {
  const given = asArray(where_, x)
  const a = axis === null ? ravel(given) : given
  const places = asPositions(where_, indices)
  if (places.ndim !== a.ndim) {
    throw new ShapeError(misuse(where_, `indices of the rank of ${showAval(a.aval)}`, showAval(places.aval)))
  }
  return [a, places, axis === null ? 0 : normalAxis(where_, axis, a.ndim)]
}

/**
 * For each position the element there along an axis, the other coordinates being those of the position itself: what `argsort`,
 * `argmax` and their like give is read so.
 *
 * @param indices i32[...], of the rank of `x`; other axes broadcast
 *
 * @throws IndexError for positions that are not integers
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const x = np.array([[3, 1, 2], [4, 6, 5]])
 * np.takeAlongAxis(x, np.argsort(x)) // => [[1, 2, 3], [4, 5, 6]]
 * ```
 */
export function takeAlongAxis(x: ArrayLike, indices: Positions, options: AlongOptions = {}): NDArray {
  checkOptions('takeAlongAxis', options, ['axis', 'mode', 'fillValue'])
  const { mode = 'fill', fillValue } = options
  const [a, given, axis] = aligned('takeAlongAxis', x, indices, options.axis === undefined ? -1 : options.axis)
  const size = a.shape[axis]!
  const sizes = a.shape.with(axis, 1)
  const shape = broadcastShapes('takeAlongAxis', given.shape, sizes)
  if (size === 0) return lax.full(shape, 0, a.dtype, a.weakType)
  const places = mode === 'promiseInBounds' ? given : fromFront(given, size)

  // axes that the positions share with the array go in step; along those of size 1 whole slices are read
  const whole = range(a.ndim).filter((i) => i !== axis && given.shape[i] === 1)
  const single = range(a.ndim).filter((i) => i !== axis && given.shape[i] !== 1 && sizes[i] === 1)
  const listed = range(a.ndim).filter((i) => !whole.includes(i))
  const kept = range(a.ndim).filter((i) => !single.includes(i))
  const inStep = kept.filter((i) => i !== axis && !whole.includes(i))
  const vectors = lax.reshape(places, [...listed.map((i) => shape[i]!), 1])
  return gather(lax.squeeze(a, single), vectors, {
    dimensionNumbers: {
      offsetDims: whole,
      collapsedSliceDims: [kept.indexOf(axis)],
      startIndexMap: [kept.indexOf(axis)],
      operandBatchingDims: inStep.map((i) => kept.indexOf(i)),
      startIndicesBatchingDims: inStep.map((i) => listed.indexOf(i)),
    },
    sliceSizes: kept.map((i) => (whole.includes(i) ? a.shape[i]! : Math.min(1, a.shape[i]!))),
    mode,
    ...(fillValue === undefined ? {} : { fillValue }),
  })
}

/** Coordinates of all places of a shape, one array for each axis, which broadcast together. */
const openGrid = (shape: Shape): NDArray[] =>
  shape.map((size, axis) =>
    lax.broadcastInDim(
      lax.iota('int32', [size], 0),
      shape.map((_, i) => (i === axis ? size : 1)),
      [axis],
    ),
  )

/**
 * A copy with a value at each position along an axis, the other coordinates being those of the position itself.
 *
 * @param values broadcast to the positions
 * @param options `axis`: the last by default, `null` takes the flattened array; `mode` as that of `x.at`
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const x = np.array([[3, 1], [4, 6]])
 * np.putAlongAxis(x, np.argmax(x, { axis: 1, keepdims: true }), 0) // => [[0, 1], [4, 0]]
 * ```
 */
export function putAlongAxis(
  x: ArrayLike,
  indices: Positions,
  values: ArrayLike,
  options: Pick<ScatterOptions, 'mode'> & { axis?: number | null } = {},
): NDArray {
  checkOptions('putAlongAxis', options, ['axis', 'mode'])
  const { axis: asked = -1, ...rest } = options
  const [a, places, axis] = aligned('putAlongAxis', x, indices, asked)
  const given = asArray('putAlongAxis', values)
  const typed = typeof values === 'number' ? values : broadcastTo(given, places.shape)
  const written = at(a, ...openGrid(a.shape).with(axis, places)).set(typed, rest)
  return asked === null ? lax.reshape(written, asArray('putAlongAxis', x).shape) : written
}

/** A list over again, up to a size. */
const cycled = (values: NDArray, size: number): NDArray =>
  take(ravel(values), lax.iota('int32', [size], 0), { mode: 'wrap' })

/**
 * A copy with values at positions of the flattened array; fewer values are used over again.
 *
 * @param options `mode`: positions that do not exist are left out (`drop`, the default), moved to the nearest (`clip`), or counted on
 *   from the other end (`wrap`)
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.put(np.zeros([2, 2]), [0, 3], np.array([1, 2])) // => [[1, 0], [0, 2]]
 * ```
 */
export function put(
  x: ArrayLike,
  indices: Positions,
  values: ArrayLike,
  options: { mode?: 'drop' | 'clip' | 'wrap' } = {},
): NDArray {
  checkOptions('put', options, ['mode'])
  const { mode = 'drop' } = options
  const a = asArray('put', x)
  const given = ravel(asPositions('put', indices))
  const v = asArray('put', values)
  if (a.size === 0 || given.size === 0 || v.size === 0) return a
  const moves = {
    drop: () => given,
    clip: () => clip(given, 0, a.size - 1),
    wrap: () => remainder(given, scalarLike(given, a.size)),
  }
  if (!Object.hasOwn(moves, mode))
    throw new OptionError(misuse('put', "a mode of 'drop', 'clip' or 'wrap'", `'${String(mode)}'`))
  return lax.reshape(at(ravel(a), moves[mode]()).set(cycled(v, given.size)), a.shape)
}

/**
 * A copy with values where a mask holds: the first value at the first such place, and so on; fewer values are used over again.
 *
 * @throws ShapeError if the mask has another size than the array, or there are no values
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.place(np.zeros([4]), np.array([true, false, true, true]), np.array([1, 2])) // => [1, 0, 2, 1]
 * ```
 */
export function place(x: ArrayLike, mask: ArrayLike, values: ArrayLike): NDArray {
  const a = asArray('place', x)
  const m = asArray('place', mask)
  const v = asArray('place', values)
  if (a.size !== m.size)
    throw new ShapeError(misuse('place', `a mask of the size of ${showAval(a.aval)}`, showAval(m.aval)))
  if (v.size === 0) throw new ShapeError(misuse('place', 'at least one value', showAval(v.aval)))
  if (a.size === 0) return a
  const places = flatnonzero(m, { size: m.size, fillValue: m.size })
  return lax.reshape(at(ravel(a), places).set(cycled(v, m.size), { mode: 'drop' }), a.shape)
}

/**
 * For each position the element of that one among several arrays, which broadcast together with the positions.
 *
 * @param options `mode`: positions that do not exist are an error (`raise`, the default, which needs known values), moved to the
 *   nearest (`clip`), or counted on from the other end (`wrap`)
 *
 * @throws IndexError for positions that do not exist
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.choose([1, 0], [np.array([1, 2]), np.array([3, 4])]) // => [3, 2]
 * ```
 */
export function choose(
  positions: Positions,
  choices: readonly ArrayLike[],
  options: { mode?: 'raise' | 'clip' | 'wrap' } = {},
): NDArray {
  checkOptions('choose', options, ['mode'])
  const { mode = 'raise' } = options
  const given = asPositions('choose', positions)
  const n = choices.length
  if (n === 0) throw new ShapeError(misuse('choose', 'at least one array to choose from', 'none'))
  const moves = {
    raise() {
      const odd = checkSized('choose', given)
        .dataSync()
        .find((index) => index < 0 || index >= n)
      if (odd !== undefined) throw new IndexError(misuse('choose', `positions from 0 to ${n - 1}`, String(odd)))
      return given
    },
    clip: () => clip(given, 0, n - 1),
    wrap: () => remainder(given, scalarLike(given, n)),
  }
  if (!Object.hasOwn(moves, mode))
    throw new OptionError(misuse('choose', "a mode of 'raise', 'clip' or 'wrap'", `'${String(mode)}'`))
  const [index, ...arrays] = broadcastArrays(moves[mode](), ...choices) as [NDArray, ...NDArray[]]
  return get(stack(arrays), index, ...openGrid(index.shape))
}

export interface CompressOptions extends SizeOptions {
  /** The axis to choose along; without it the flattened array is taken. */
  axis?: number | null
}

/**
 * The slices along an axis for which a condition holds.
 *
 * @param condition bool[n]; what lies behind its end is left out
 *
 * @throws ConcretizationError for a condition that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.compress(np.array([false, true]), np.array([[1, 2], [3, 4]]), { axis: 0 }) // => [[3, 4]]
 * ```
 */
export function compress(condition: ArrayLike, x: ArrayLike, options: CompressOptions = {}): NDArray {
  checkOptions('compress', options, ['axis', 'size', 'fillValue'])
  const { axis = null, size, fillValue = 0 } = options
  const given = asArray('compress', x)
  const a = axis === null ? ravel(given) : lax.moveAxis(given, normalAxis('compress', axis, given.ndim), 0)
  const mask = truth(asArray('compress', condition))
  if (mask.ndim !== 1) throw new ShapeError(misuse('compress', 'a condition of rank 1', showAval(mask.aval)))
  const [length, beyond] = [Math.min(mask.size, a.shape[0]), a.shape[0]]
  const own = get(mask, { start: 0, stop: length, step: 1 })
  const back = (y: NDArray): NDArray =>
    axis === null ? y : lax.moveAxis(y, 0, normalAxis('compress', axis, given.ndim))
  const rows = get(a, { start: 0, stop: length, step: 1 })
  if (size === undefined) {
    if (
      mask.size > beyond &&
      any(get(checkSized('compress', mask), { start: beyond, stop: null, step: 1 })).item() !== 0
    ) {
      throw new IndexError(
        misuse('compress', `a condition that does not choose beyond the ${beyond} elements`, showAval(mask.aval)),
      )
    }
    return back(get(rows, checkSized('compress', own)))
  }
  const [count] = checkShape('compress', size) as [number]
  if (count > length) throw new ShapeError(misuse('compress', `a size of at most ${length}`, String(count)))
  const chosen = where(
    lax.reshape(own, [length, ...rows.shape.slice(1).map(() => 1)]),
    rows,
    convert(asArray('compress', fillValue), a.dtype),
  )
  return back(take(chosen, get(argsort(own, { descending: true }), { start: 0, stop: count, step: 1 }), { axis: 0 }))
}

/**
 * The elements for which a condition holds, in row-major order.
 *
 * @throws ConcretizationError for a condition that is traced, unless `size` is given
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const x = np.array([[1, 2], [3, 4]])
 * np.extract(x.gt(1), x) // => [2, 3, 4]
 * ```
 */
export function extract(condition: ArrayLike, x: ArrayLike, options: SizeOptions = {}): NDArray {
  checkOptions('extract', options, ['size', 'fillValue'])
  return compress(ravel(asArray('extract', condition)), ravel(asArray('extract', x)), options)
}

/**
 * Lists of positions as an index of their grid: with `x.get(...np.ix([0, 2], [1]))` the places of rows 0 and 2 in column 1.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.array([[1, 2], [3, 4], [5, 6]]).get(...np.ix([0, 2], [1])) // => [[2], [6]]
 * ```
 */
export function ix(...lists: readonly Positions[]): NDArray[] {
  const arrays = lists.map((list) => asPositions('ix', list))
  const odd = arrays.find((list) => list.ndim !== 1)
  if (odd !== undefined) throw new ShapeError(misuse('ix', 'lists of rank 1', showAval(odd.aval)))
  return arrays.map((list, i) =>
    lax.broadcastInDim(
      list,
      arrays.map((_, j) => (j === i ? list.size : 1)),
      [i],
    ),
  )
}

/**
 * Positions in the flattened array as coordinates: for each axis an array of the shape of the positions. Those outside are clipped.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [row, column] = np.unravelIndex(5, [2, 3])
 * row.item() // => 1
 * column.item() // => 2
 * ```
 */
export function unravelIndex(indices: Positions, shape: Shape): NDArray[] {
  const sizes = checkShape('unravelIndex', shape)
  const total = sizes.reduce((n, size) => n * size, 1)
  const given = asPositions('unravelIndex', indices)
  const front = isSigned(given.dtype) ? where(less(given, 0), add(given, scalarLike(given, total)), given) : given
  // as in JAX, positions outside become the first and the last place
  const inside = clip(front, 0, total - 1)
  return stridesOf(sizes).map((stride, axis) =>
    remainder(floorDivide(inside, scalarLike(inside, stride)), scalarLike(inside, sizes[axis]!)),
  )
}

/**
 * Coordinates as positions in the flattened array.
 *
 * @param coordinates for each axis an array of integers
 * @param options `mode`: coordinates outside are an error (`raise`, the default, which needs known values), moved to the nearest
 *   (`clip`), or counted on from the other end (`wrap`)
 *
 * @throws IndexError for coordinates outside
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.ravelMultiIndex([[0, 1], [2, 0]], [2, 3]) // => [2, 3]
 * ```
 */
export function ravelMultiIndex(
  coordinates: readonly Positions[],
  shape: Shape,
  options: { mode?: 'raise' | 'clip' | 'wrap' } = {},
): NDArray {
  checkOptions('ravelMultiIndex', options, ['mode'])
  const { mode = 'raise' } = options
  const sizes = checkShape('ravelMultiIndex', shape)
  if (coordinates.length !== sizes.length) {
    throw new ShapeError(misuse('ravelMultiIndex', `coordinates for ${sizes.length} axes`, String(coordinates.length)))
  }
  const arrays = coordinates.map((list) => convert(asPositions('ravelMultiIndex', list), 'int32'))
  const moved = arrays.map((x, axis) => {
    const size = sizes[axis]!
    if (mode === 'clip') return clip(x, 0, size - 1)
    if (mode === 'wrap') return remainder(x, scalar(size, 'int32'))
    if (mode !== 'raise')
      throw new OptionError(misuse('ravelMultiIndex', "a mode of 'raise', 'clip' or 'wrap'", `'${String(mode)}'`))
    const odd = checkSized('ravelMultiIndex', x)
      .dataSync()
      .find((index) => index < 0 || index >= size)
    if (odd !== undefined)
      throw new IndexError(misuse('ravelMultiIndex', `coordinates from 0 to ${size - 1} for axis ${axis}`, String(odd)))
    return x
  })
  const strides = stridesOf(sizes)
  return moved.map((x, axis) => multiply(x, strides[axis]!)).reduce((sum, x) => add(sum, x), scalar(0, 'int32'))
}
