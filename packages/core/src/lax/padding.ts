/** Padding by name, as convolutions and windows take it. */
import { OptionError, ShapeError, misuse } from '../errors.ts'
import type { Shape } from '../shape.ts'

/** `'SAME'` keeps the size (divided by the stride), with an odd element at the end or, `'SAME_LOWER'`, at the beginning; `'VALID'` adds none. */
export type Padding = 'SAME' | 'SAME_LOWER' | 'VALID' | readonly (readonly [low: number, high: number])[]
const names: readonly unknown[] = ['SAME', 'SAME_LOWER', 'VALID']

/** Padding of each axis in numbers. */
export function paddingOf(
  where: string,
  padding: Padding,
  sizes: Shape,
  windows: Shape,
  strides: Shape,
): (readonly [low: number, high: number])[] {
  if (typeof padding !== 'string') {
    if (padding.length !== sizes.length || padding.some((pair) => pair.length !== 2 || !pair.every(Number.isInteger))) {
      throw new ShapeError(misuse(where, `[low, high] for each of ${sizes.length} axes`, JSON.stringify(padding)))
    }
    return [...padding]
  }
  if (!names.includes(padding))
    throw new OptionError(
      misuse(where, "padding 'SAME', 'SAME_LOWER', 'VALID' or pairs of numbers", `'${String(padding)}'`),
    )
  if (strides.length !== sizes.length || windows.length !== sizes.length) {
    throw new ShapeError(
      misuse(where, `windows and strides of ${sizes.length} axes`, `${windows.length} and ${strides.length}`),
    )
  }
  if (padding === 'VALID') return sizes.map(() => [0, 0])
  return sizes.map((size, i) => {
    const out = Math.ceil(size / strides[i]!)
    const total = Math.max(0, (out - 1) * strides[i]! + windows[i]! - size)
    const less = Math.floor(total / 2)
    return padding === 'SAME' ? [less, total - less] : [total - less, less]
  })
}

/**
 * The padding that a name stands for, `[low, high]` for each axis.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.padtypeToPads([5], [3], [2], 'SAME') // => [[1, 1]]
 * ```
 */
export const padtypeToPads = (
  inShape: Shape,
  windowShape: Shape,
  windowStrides: Shape,
  padding: Padding,
): (readonly [low: number, high: number])[] => paddingOf('padtypeToPads', padding, inShape, windowShape, windowStrides)
