/** Augmentation of spike trains, inside of compiled programs. */
import { type NDArray, OptionError, checkOptions, np, random } from '@fluxion/core'

export interface ShiftOptions {
  /** Shifts are drawn from −maxShift up to, not including, maxShift (10). */
  maxShift?: number
  /** The axes to shift along (the last). */
  axes?: readonly number[]
}
/**
 * Roll a batch along its axes by whole steps drawn at random: one shift for the whole batch, and what leaves at one end comes in at
 * the other.
 *
 * @returns a function of the data, of any shape and dtype, and a key
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import { shiftAugment } from '@fluxion/data'
 * shiftAugment({ maxShift: 3 })(np.eye(4), random.key(0)).sum().item() // => 4
 * ```
 */
export function shiftAugment(options: ShiftOptions = {}): (data: NDArray, key: NDArray) => NDArray {
  checkOptions('shiftAugment', options, ['maxShift', 'axes'])
  const { maxShift = 10, axes = [-1] } = options
  if (!Number.isInteger(maxShift) || maxShift < 1)
    throw new OptionError(`shiftAugment: expected a whole maxShift of at least 1, got ${maxShift}`)
  return (data, key) => {
    const shifts = random.randint(key, [axes.length], -maxShift, maxShift)
    return np.roll(data, shifts, { axis: axes })
  }
}
