/** The whole way from a traced program to one that a back end prints. */
import type { ClosedJaxpr } from '@fluxion/core'
import { lower } from './lower/lower.ts'
import type { Target } from './lower/lowering.ts'
import { type OptimiseOptions, optimise } from './passes/pipeline.ts'
import { tileLimits } from './passes/tiles/size.ts'
import type { Program } from './program/program.ts'
import { stageReductions } from './program/stageReductions.ts'

/** Where points run one after the other, caches are what temporaries should fit in. */
export const optionsFor = ({ parallel, tiles = tileLimits }: Target): OptimiseOptions => (parallel ? {} : { tiles })

/** Optimise and lower a program for a target; `name` is for messages. */
export function compile(program: ClosedJaxpr, target: Target, name = 'program'): Program {
  const optimised = optimise(program, optionsFor(target))
  const whole = lower(optimised.program, target, name)
  // Where points run side by side, printers share long reductions out among them.
  const lowered = target.parallel ? whole : stageReductions(whole)
  // Captured arrays are the first inputs of what is lowered.
  const given = optimised.captured.length
  const captured = optimised.captured.map((value, i) => ({ slot: lowered.inputs[i]!, value }))
  return { ...lowered, inputs: lowered.inputs.slice(given), captured: [...captured, ...lowered.captured] }
}
