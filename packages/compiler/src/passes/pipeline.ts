/** All passes in their order: from a traced program to the one that is lowered. */
import { type ClosedJaxpr, type NDArray, closed, printJaxpr } from '@fluxion/core'
import { eliminateDead } from './dead.ts'
import { foldConstants } from './fold.ts'
import { inline, openCheckpoints } from './inline.ts'
import { loops } from './loops.ts'
import type { Pass } from './rewrite.ts'
import { tidy } from './tidy.ts'
import type { TileLimits } from './tiles/size.ts'
import { tilesOf } from './tiles/tiles.ts'

export interface OptimiseOptions {
  /** Run what is independent along an axis tile by tile, where that is worthwhile by these limits. */
  readonly tiles?: TileLimits
  /** Told of the program after each pass that changed something, printed. */
  readonly stages?: (name: string, printed: string) => void
  /** Told of the program itself after each pass that changed something. */
  readonly check?: (name: string, program: ClosedJaxpr) => void
}
export interface Optimised {
  /** A program without constants and calls. Its first inputs are the captured arrays. */
  readonly program: ClosedJaxpr
  /** Values that the program or one inside it held. */
  readonly captured: readonly NDArray[]
}

/** The passes, by name. */
export const passes: readonly (readonly [name: string, pass: Pass])[] = [
  ['inline', inline],
  ['dead', eliminateDead],
  ['simplify', tidy],
  ['loops', loops],
  ['fold', (program) => tidy(foldConstants(program))],
  ['checkpoint', (program) => eliminateDead(openCheckpoints(program))],
]

/** Tiles come last, so that nothing takes out of their loops what they are there to keep small; the loop passes run on their bodies. */
const passesWith = (limits: TileLimits): typeof passes => [
  ...passes.slice(0, -1),
  ['tiles', (program) => tidy(tilesOf(limits, loops)(program))],
  ...passes.slice(-1),
]

/** Optimise a program. Values that it holds become its first inputs; numbers among them are written into it. */
export function optimise(program: ClosedJaxpr, options: OptimiseOptions = {}): Optimised {
  let current = program
  for (const [name, pass] of options.tiles === undefined ? passes : passesWith(options.tiles)) {
    const next = pass(current)
    if (next !== current) {
      options.stages?.(name, printJaxpr(next))
      options.check?.(name, next)
    }
    current = next
  }
  const { jaxpr, consts } = current
  return {
    program: closed({ ...jaxpr, constants: [], inputs: [...jaxpr.constants, ...jaxpr.inputs] }),
    captured: consts,
  }
}
