/** Which results can be written over inputs that their owner gives up: memory that is read for the last time before, or as, it is written. */
import type { Buffer, Expr, Nest } from '../loops/ir.ts'
import { indexAdd, indexMul } from '../loops/indices.ts'
import { isConst } from '../loops/build.ts'
import { expressionsOf, walk } from '../loops/visit.ts'
import { accessOf } from './access.ts'
import { walkSteps } from './places.ts'
import type { Program, Slot, Step } from './program.ts'

/** First and last of the outermost steps that name a slot. */
interface Span {
  readonly first: number
  readonly last: number
}
function spansOf(steps: readonly Step[]): Map<Slot, Span> {
  const spans = new Map<Slot, Span>()
  steps.forEach((outer, at) =>
    walkSteps([outer], (step) => {
      const { reads, writes } = accessOf(step)
      for (const { slot } of [...reads, ...writes]) spans.set(slot, { first: spans.get(slot)?.first ?? at, last: at })
    }),
  )
  return spans
}

/**
 * Pair results with donated inputs whose memory they can take.
 *
 * @param donated the inputs that are given up, by number
 * @returns the input for each result that has one; an input serves one result
 */
export function reuseDonated({ inputs, outputs, steps }: Program, donated: readonly number[]): Map<Slot, Slot> {
  const spans = spansOf(steps)
  const free = donated.map((i) => inputs[i]!).filter((slot) => !outputs.includes(slot))
  const reused = new Map<Slot, Slot>()
  for (const output of new Set(outputs)) {
    const written = spans.get(output)
    if (written === undefined || inputs.includes(output)) continue
    const at = free.findIndex((input) => {
      if (input.dtype !== output.dtype || input.length !== output.length) return false
      const read = spans.get(input)
      if (read === undefined || read.last < written.first) return true
      return read.last === written.first && writesOver(steps[written.first]!, input, output)
    })
    if (at >= 0) reused.set(output, free.splice(at, 1)[0]!)
  }
  return reused
}

/** Whether a step is a nest in which each point reads the input's element no later than it writes the result's at the same place. */
function writesOver(step: Step, input: Slot, output: Slot): boolean {
  if (step.op !== 'launch' || step.kernel.kind !== 'nest') return false
  const { kernel, args } = step
  const of = (slot: Slot): Buffer[] => kernel.params.filter((_, i) => args[i]!.slot === slot)
  const whole = args.every(
    ({ slot, offset, moves }) => (slot !== input && slot !== output) || (offset === 0 && moves.length === 0),
  )
  const [from, to] = [of(input), of(output)]
  return whole && from.length === 1 && to.length === 1 && readsBefore(kernel, from[0]!, to[0]!)
}
function readsBefore({ body }: Nest, from: Buffer, to: Buffer): boolean {
  const at = body.findIndex((statement) => statement.op === 'store' && statement.buffer === to)
  const store = body[at]
  if (store?.op !== 'store') return false
  // Statements without others in them: their order is that of execution.
  if (body.some(({ op }) => op !== 'store' && op !== 'assign')) return false
  if (body.some((other) => other !== store && other.op === 'store' && other.buffer === to)) return false
  return body.every((statement, i) => {
    const loads: Expr[] = []
    for (const x of expressionsOf(statement))
      walk(x, (e) => void (e.op === 'load' && e.buffer === from && loads.push(e.index)), new Set())
    return loads.every((index) => i <= at && isConst(indexAdd(index, indexMul(store.index, -1)), 0))
  })
}
