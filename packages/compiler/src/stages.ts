/** The stages of a compilation as text: what `jit(f).lower(…).asText(stage)` shows on every back end that compiles. */
import { type ClosedJaxpr, type Stage, printJaxpr } from '@fluxion/core'
import { compile, optionsFor } from './compile.ts'
import { optimise } from './passes/pipeline.ts'
import type { Target } from './lower/lowering.ts'
import { type Cost, costOf } from './program/cost.ts'
import { printPlan, printProgram } from './program/print.ts'
import type { Program } from './program/program.ts'

const described: readonly (readonly [keyof Cost, string])[] = [
  ['kernels', 'kernels launched'],
  ['copies', 'copies'],
  ['callbacks', 'callbacks'],
  ['bytesRead', 'bytes read'],
  ['bytesWritten', 'bytes written'],
  ['flops', 'floating-point operations'],
  ['arenaBytes', 'bytes of temporaries'],
  ['privateBytes', 'bytes of temporaries that each runner of parallel groups has'],
]
const printCost = (cost: Cost): string =>
  described.map(([key, words]) => `${cost[key].toLocaleString('en-US')} ${words}`).join('\n')

/** A stage of a compiled program as text; nothing for one that comes before it, or is a back end's own. */
export function showProgram(program: Program, stage: Stage): string | undefined {
  switch (stage) {
    case 'loops':
      return printProgram(program)
    case 'plan':
      return printPlan(program)
    case 'cost':
      return printCost(costOf(program))
    default:
      return undefined
  }
}
/** A stage as text; nothing for one that is a back end's own. */
export function showStage(program: ClosedJaxpr, stage: Stage, target: Target): string | undefined {
  switch (stage) {
    case 'jaxpr':
      return printJaxpr(program)
    case 'optimised':
      return printJaxpr(optimise(program, optionsFor(target)).program)
    default:
      return showProgram(compile(program, target), stage)
  }
}
