/** Arithmetic of places: where they are at given counts, and how far they reach over all of them. */
import type { Counter, Parallel, Place, Step } from './program.ts'

/** How often each loop around has run before. */
export type Counts = ReadonlyMap<Counter, number>

/** The element of its slot at which a place begins, at given counts. */
export function offsetAt({ offset, moves }: Pick<Place, 'offset' | 'moves'>, counts: Counts): number {
  let at = offset
  for (const { counter, stride, alternate } of moves) {
    const count = counts.get(counter) ?? 0
    at += stride * (alternate === true ? count % 2 : count)
  }
  return at
}
/** The least and the greatest element at which a place begins. */
export function offsetsOf({ offset, moves }: Place): readonly [low: number, high: number] {
  let [low, high] = [offset, offset]
  for (const { counter, stride, alternate } of moves) {
    const last = Math.max(0, counter.length - 1)
    const reach = stride * (alternate === true ? Math.min(1, last) : last)
    if (reach < 0) low += reach
    else high += reach
  }
  return [low, high]
}
/** The iterations of a group of a parallel step: from the first on, before the second. */
export const iterationsOf = ({ group, counter }: Parallel, at: number): readonly [from: number, to: number] => [
  Math.floor((at * counter.length) / group.length),
  Math.floor(((at + 1) * counter.length) / group.length),
]
/** The lists of steps in a step. */
export function stepsIn(step: Step): readonly (readonly Step[])[] {
  switch (step.op) {
    case 'loop':
      return [step.body]
    case 'while':
      return [step.test, step.body]
    case 'switch':
      return step.branches
    case 'parallel':
      return [step.begin, step.body]
    case 'launch':
    case 'copy':
    case 'callback':
      return []
  }
}
/** Visit steps and those in them, in order. */
export function walkSteps(steps: readonly Step[], visit: (step: Step) => void): void {
  for (const step of steps) {
    visit(step)
    for (const inner of stepsIn(step)) walkSteps(inner, visit)
  }
}
/** Steps with others in the place of each: of those inside first, then of the step that holds them. */
export function mapSteps(steps: readonly Step[], replace: (step: Step) => readonly Step[]): Step[] {
  const inside = (body: readonly Step[]): Step[] => mapSteps(body, replace)
  return steps.flatMap((step): readonly Step[] => {
    switch (step.op) {
      case 'loop':
        return replace({ ...step, body: inside(step.body) })
      case 'while':
        return replace({ ...step, test: inside(step.test), body: inside(step.body) })
      case 'switch':
        return replace({ ...step, branches: step.branches.map(inside) })
      case 'parallel':
        return replace({ ...step, begin: inside(step.begin), body: inside(step.body) })
      case 'launch':
      case 'copy':
      case 'callback':
        return replace(step)
    }
  })
}
