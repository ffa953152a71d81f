/** Which temporaries of a program each runner of parallel groups has of its own. */
import { accessOf } from './access.ts'
import { walkSteps } from './places.ts'
import type { Counter, Parallel, Place, Program, Slot, Step } from './program.ts'

const placesOf = (step: Step): readonly Place[] => {
  const { reads, writes } = accessOf(step)
  return [...reads, ...writes]
}

/** The slots of each parallel step that no other step names, and whose places move with loops inside of it alone. */
export function privatesOf({ inputs, captured, outputs, steps }: Program): Map<Parallel, Set<Slot>> {
  const shared = new Set<Slot>([...inputs, ...captured.map(({ slot }) => slot), ...outputs])
  const found = new Map<Parallel, Set<Slot>>()
  const owner = new Map<Slot, Parallel>()
  const outside = (list: readonly Step[]): void => {
    for (const step of list) {
      if (step.op === 'parallel') {
        inside(step)
        continue
      }
      for (const { slot } of placesOf(step)) shared.add(slot)
      if (step.op === 'loop') outside(step.body)
      else if (step.op === 'while') [step.test, step.body].forEach(outside)
      else if (step.op === 'switch') step.branches.forEach(outside)
    }
  }
  const inside = (parallel: Parallel): void => {
    const own = new Set<Counter>()
    const within = [...parallel.begin, ...parallel.body]
    walkSteps(within, (step) => void (step.op === 'loop' && own.add(step.counter)))
    walkSteps(within, (step) => {
      for (const { slot, moves } of placesOf(step)) {
        if (moves.some(({ counter }) => !own.has(counter))) shared.add(slot)
        if ((owner.get(slot) ?? parallel) !== parallel) shared.add(slot)
        owner.set(slot, parallel)
      }
    })
    found.set(parallel, new Set())
  }
  outside(steps)
  for (const [slot, parallel] of owner) if (!shared.has(slot)) found.get(parallel)!.add(slot)
  return found
}
