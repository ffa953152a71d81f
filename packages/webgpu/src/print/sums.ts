/** What a combination begins with, and sums that are as exact as pairwise ones: totals of short runs, of which totals are taken in turn. */
import { type Combine, type ScalarType, identity } from '@fluxion/compiler'
import type { Emitter } from './emitter.ts'
import { literal } from './literals.ts'

export const identityText = (combine: Combine, type: ScalarType): string =>
  literal(type, identity(combine, type, type === 'u32' ? 'uint32' : 'int32').value)

/** As many values are added one after the other. */
const run = 64
export const needsCascade = (combine: Combine, type: ScalarType, turns: number): boolean =>
  combine === 'add' && type === 'f32' && turns > 2 * run

interface Cascade {
  open(): void
  /** After a value was added to the running total. */
  turn(total: string): void
  total(total: string): string
}
/** Whenever a run is full, its total goes to the next level, whose runs are as long. */
export function openCascade(emitter: Emitter, turns: number): Cascade {
  const levels = Math.min(5, Math.ceil(Math.log(turns) / Math.log(run)) - 1)
  const names = Array.from({ length: levels }, () => emitter.shader.names.unique('higher'))
  const count = emitter.shader.names.unique('count')
  return {
    open() {
      for (const name of names) emitter.line(`var ${name} = 0.0f;`)
      emitter.line(`var ${count} = 0u;`)
    },
    turn(total) {
      emitter.line(`${count}++;`)
      const carry = (level: number): void => {
        if (level === levels) return
        const from = level === 0 ? total : names[level - 1]!
        emitter.block(`if ((${count} & ${run ** (level + 1) - 1}u) == 0u) {`, () => {
          emitter.line(`${names[level]!} += ${from};`)
          emitter.line(`${from} = 0.0f;`)
          carry(level + 1)
        })
      }
      carry(0)
    },
    total: (total) => [total, ...names].reduce((sum, name) => `(${sum} + ${name})`),
  }
}
