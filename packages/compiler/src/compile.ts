/** The whole way from a traced program to one that a back end prints. */
import type { ClosedJaxpr } from '@fluxion/core'
import { lower } from './lower/lower.ts'
import type { Target } from './lower/lowering.ts'
import type { Program } from './program/program.ts'

/** Optimise and lower a program for a target; `name` is for messages. */
export const compile = (program: ClosedJaxpr, target: Target, name = 'program'): Program => lower(program, target, name)
