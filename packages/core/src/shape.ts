/** Arithmetic on shapes and axes. */
import { ShapeError, misuse } from './errors.ts'

export type Shape = readonly number[]
export type Axis = number | readonly number[] | null
/** What `x.shape` is: destructuring and small indices give numbers under `noUncheckedIndexedAccess`. */
export type Dims = readonly number[] & { readonly [axis in 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7]: number }

export const sizeOf = (shape: Shape): number => {
  let size = 1
  for (const dim of shape) size *= dim
  return size
}
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i])
export const range = (n: number, start = 0): number[] => Array.from({ length: n }, (_, i) => start + i)

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  for (let i = shape.length - 1, stride = 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i]!
  }
  return strides
}

/** A possibly negative axis as one from 0 to rank − 1. */
export function normalAxis(where: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(`${where}: axis ${axis} is out of range for an array of rank ${rank}`)
  }
  return axis < 0 ? axis + rank : axis
}

/** One axis, several or all (`null` or `undefined`) as a sorted list without repetition. */
export function normalAxes(where: string, axis: Axis | undefined, rank: number): number[] {
  if (axis === null || axis === undefined) return range(rank)
  const axes = (typeof axis === 'number' ? [axis] : axis).map((one) => normalAxis(where, one, rank))
  if (new Set(axes).size !== axes.length)
    throw new ShapeError(`${where}: axes ${JSON.stringify(axis)} name an axis twice`)
  return axes.sort((a, b) => a - b)
}

/** The shape to which NumPy broadcasts the given ones. */
export function broadcastShapes(where: string, ...shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  const result = new Array<number>(rank).fill(1)
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const dim = shape[i]!
      const at = rank - shape.length + i
      if (dim === 1 || dim === result[at]) continue
      if (result[at] !== 1) {
        throw new ShapeError(
          misuse(
            where,
            'shapes that broadcast together',
            shapes.map((s) => `(${s.join(',')})`).join(' and '),
            'axes are matched from the last; each pair must be equal or hold a 1',
          ),
        )
      }
      result[at] = dim
    }
  }
  return result
}

export const without = <T>(list: readonly T[], indices: readonly number[]): T[] =>
  list.filter((_, i) => !indices.includes(i))
/** `list` with `value` inserted before position `at`. */
export const inserted = <T>(list: readonly T[], at: number, value: T): T[] => [
  ...list.slice(0, at),
  value,
  ...list.slice(at),
]
/** The permutation that undoes `permutation`. */
export const inverse = (permutation: readonly number[]): number[] => permutation.map((_, i) => permutation.indexOf(i))
