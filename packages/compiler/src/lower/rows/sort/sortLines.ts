/** Sorts lines, stably, in the way that suits a target. */
import type { KernelBuilder } from '../../lowering.ts'
import type { Lines } from './lines.ts'
import { mergeLines } from './merge.ts'
import { sortElements } from './search.ts'

export const sortLines = (build: KernelBuilder, lines: Lines): void =>
  build.target.parallel ? sortElements(build, lines) : mergeLines(build, lines)
