/** Elements in another order along axes: reversed, rolled, rotated. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { isInteger } from '../../dtype.ts'
import { DtypeError, ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import { dynamicSlice } from '../../primitive/indexing.ts'
import * as lax from '../../primitive/movement.ts'
import { type Axis, normalAxes, normalAxis, range } from '../../shape.ts'
import { scalar } from '../../trace.ts'
import { asArray } from '../promote.ts'
import type { Unary } from '../../types.ts'
import { remainder, subtract } from '../ufuncs/arithmetic.ts'
import { swapaxes } from './axes.ts'
import { ravel } from './shapes.ts'

/**
 * Reverse the order of elements along axes, all by default.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.flip(np.array([[1, 2], [3, 4]])) // => [[4, 3], [2, 1]]
 * np.flip(np.array([[1, 2], [3, 4]]), { axis: 0 }) // => [[3, 4], [1, 2]]
 * ```
 */
export function flip(x: ArrayLike, options: { axis?: Axis } = {}): NDArray {
  checkOptions('flip', options, ['axis'])
  const a = asArray('flip', x)
  return lax.rev(a, normalAxes('flip', options.axis, a.ndim))
}

const reversed = (where: string, axis: number, x: ArrayLike): NDArray => {
  const a = asArray(where, x)
  return lax.rev(a, [normalAxis(where, axis, a.ndim)])
}

/**
 * Reverse the order along the first axis.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.flipud(np.array([[1, 2], [3, 4]])) // => [[3, 4], [1, 2]]
 * ```
 */
export const flipud: Unary = (x: ArrayLike): NDArray => reversed('flipud', 0, x)

/**
 * Reverse the order along the second axis.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.fliplr(np.array([[1, 2], [3, 4]])) // => [[2, 1], [4, 3]]
 * ```
 */
export const fliplr: Unary = (x: ArrayLike): NDArray => reversed('fliplr', 1, x)

/**
 * Rotate by quarter turns in the plane of two axes, from the first of them towards the second.
 *
 * @param options `k`: how many quarter turns, 1 by default; `axes`: the plane, the first two axes by default
 *
 * @throws ShapeError unless there are two different axes
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.rot90(np.array([[1, 2], [3, 4]])) // => [[2, 4], [1, 3]]
 * ```
 */
export function rot90(x: ArrayLike, options: { k?: number; axes?: readonly [number, number] } = {}): NDArray {
  checkOptions('rot90', options, ['k', 'axes'])
  const { k = 1, axes = [0, 1] } = options
  const a = asArray('rot90', x)
  const [from, to] = axes.map((axis) => normalAxis('rot90', axis, a.ndim)) as [number, number]
  if (from === to) throw new ShapeError(misuse('rot90', 'two different axes', `[${axes.join(',')}]`))
  const turns = ((k % 4) + 4) % 4
  if (turns === 0) return a
  if (turns === 2) return lax.rev(a, [from, to])
  // one turn: what ran along `to`, backwards, runs along `from`
  return turns === 1 ? swapaxes(lax.rev(a, [to]), from, to) : lax.rev(swapaxes(a, from, to), [to])
}

/**
 * Move elements along axes by a shift; those that leave at the end come in at the beginning. Shifts may be traced.
 *
 * @param shift one shift for all axes, or one for each: numbers, or an array of integers
 * @param options `axis`: one or several; without it the flattened array is rolled
 *
 * @throws ShapeError if shifts and axes do not match in number
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.roll(np.arange(5), 2) // => [3, 4, 0, 1, 2]
 * np.roll(np.array([[1, 2], [3, 4]]), 1, { axis: 0 }) // => [[3, 4], [1, 2]]
 * ```
 */
export function roll(
  x: ArrayLike,
  shift: NDArray | number | readonly number[],
  options: { axis?: Axis } = {},
): NDArray {
  checkOptions('roll', options, ['axis'])
  const a = asArray('roll', x)
  const { axis = null } = options
  if (axis === null) return lax.reshape(roll(ravel(a), shift, { axis: 0 }), a.shape)
  // an axis may be named twice: its shifts add up
  const axes = (typeof axis === 'number' ? [axis] : axis).map((one) => normalAxis('roll', one, a.ndim))
  const shifts = shiftsOf(shift)
  const count = shifts.length === 1 ? axes.length : shifts.length
  if (axes.length !== count && axes.length !== 1) {
    throw new ShapeError(
      misuse('roll', 'as many shifts as axes, or one of them', `${shifts.length} shifts and ${axes.length} axes`),
    )
  }
  return range(count).reduce(
    (rolled, i) =>
      rollAxis(rolled, shifts.length === 1 ? shifts[0]! : shifts[i]!, axes.length === 1 ? axes[0]! : axes[i]!),
    a,
  )
}

function shiftsOf(shift: NDArray | number | readonly number[]): (NDArray | number)[] {
  const list: readonly (NDArray | number)[] = Array.isArray(shift)
    ? (shift as readonly number[])
    : [shift as NDArray | number]
  return list.flatMap((one): (NDArray | number)[] => {
    if (typeof one === 'number') {
      if (!Number.isInteger(one)) throw new DtypeError(misuse('roll', 'shifts that are integers', String(one)))
      return [one]
    }
    if (!isInteger(one.dtype)) throw new DtypeError(misuse('roll', 'shifts that are integers', showAval(one.aval)))
    if (one.ndim > 1) throw new ShapeError(misuse('roll', 'shifts that are a scalar or a list', showAval(one.aval)))
    if (one.ndim === 0) return [one]
    return lax
      .split(
        one,
        range(one.size).map(() => 1),
        0,
      )
      .map((part) => lax.squeeze(part, [0]))
  })
}

function rollAxis(x: NDArray, shift: NDArray | number, axis: number): NDArray {
  const size = x.shape[axis]!
  if (size === 0) return x
  if (typeof shift === 'number') {
    const end = size - (((shift % size) + size) % size)
    if (end === size) return x
    const [front, back] = lax.split(x, [end, size - end], axis)
    return lax.concatenate([back!, front!], axis)
  }
  // a window into the array laid twice in a row
  const wide = convert(shift, 'int32')
  const start = subtract(size, remainder(wide, size))
  const zero = scalar(0, 'int32')
  const twice = lax.concatenate([x, x], axis)
  return dynamicSlice(
    twice,
    x.shape.map((_, i) => (i === axis ? start : zero)),
    x.shape,
  )
}
