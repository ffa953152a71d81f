/** Schedules one after another. */
import { OptionError, misuse, np } from '@fluxion/core'
import { type CountSchedule, type Schedule, countSchedule } from './transformation.ts'

/**
 * Follow one schedule up to a step, from there the next, and so on; each counts from its own start.
 *
 * @param boundaries the steps at which the second, the third … begin
 * @throws OptionError if there is not one boundary between any two schedules
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { constantSchedule, joinSchedules, linearSchedule } from '@fluxion/optim'
 * joinSchedules([linearSchedule(0, 1, 2), constantSchedule(5)], [2])(np.arange(4)) // => [0, 0.5, 5, 5]
 * ```
 */
export function joinSchedules(schedules: readonly Schedule[], boundaries: readonly number[]): CountSchedule {
  const [first, ...rest] = schedules
  if (first === undefined || boundaries.length !== rest.length) {
    const got = `${boundaries.length} for ${schedules.length} schedules`
    throw new OptionError(misuse('joinSchedules', 'schedules, and a boundary between each two', got))
  }
  return countSchedule((count) =>
    rest.reduce((value, schedule, i) => {
      const start = boundaries[i]!
      return np.where(count.lt(start), value, schedule(count.sub(start)))
    }, first(count)),
  )
}
