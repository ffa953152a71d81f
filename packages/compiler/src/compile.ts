/** The whole way from a traced program to one that a back end prints. */
import type { ClosedJaxpr, NDArray } from '@fluxion/core'
import { lower } from './lower/lower.ts'
import type { Target } from './lower/lowering.ts'
import type { Program } from './program/program.ts'

export interface Optimised {
  /** Without constants: their values are further inputs, behind the others. */
  readonly program: ClosedJaxpr
  readonly captured: readonly NDArray[]
}
export const optimised = (program: ClosedJaxpr): Optimised => ({ program, captured: [] })

/** Optimise and lower a program for a target; `name` is for messages. */
export function compile(program: ClosedJaxpr, target: Target, name = 'program'): Program {
  return lower(optimised(program).program, target, name)
}
