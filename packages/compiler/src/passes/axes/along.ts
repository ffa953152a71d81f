/** The factor of an operation along one axis, from what parts of the programs inside have. */
import type { Aval, ClosedJaxpr, Equation, Inner, InnerFactor, Var } from '@fluxion/core'
import { type Choice, cutProgram } from './cut.ts'
import { type Entry, type Label, dimOf, labelOf } from './labels.ts'

export interface Labelling {
  readonly labels: ReadonlyMap<Var, Label>
  /** By which factor an equation is run by parts; the others are run whole. */
  readonly choices: ReadonlyMap<Equation, Choice>
  readonly outputs: readonly Label[]
  /** Nothing has to wait for the parts to be put together. */
  readonly clean: boolean
}

/** An operation that holds programs, as its axis rule describes it. */
interface Operation {
  readonly operands: readonly Aval[]
  readonly results: readonly Aval[]
  readonly inner: readonly Inner[]
  readonly carries: readonly (readonly [operand: number, result: number])[]
}
/** Where the axis lies on operands and results. */
interface Along {
  readonly operands: readonly Entry[]
  readonly results: readonly Entry[]
  readonly units: number
}

/** How many dimensions a program does not see of what an operation takes or gives. */
const hidden = (outside: Aval, inside: Aval): number => outside.shape.length - inside.shape.length
const shifted = (entry: Entry, by: number): Entry => (typeof entry === 'number' ? entry + by : entry)

/** The factor along an axis, or nothing if something inside cannot be run by parts. */
export function factorAlong(
  along: Along,
  operation: Operation,
  label: (program: number, inputs: readonly Label[]) => Labelling,
): InnerFactor | undefined {
  const { operands, inner, carries } = operation
  const entries = [...along.operands]
  for (;;) {
    const labellings = inner.map(({ program: { jaxpr }, inputs }, i) =>
      label(
        i,
        jaxpr.inputs.map(({ aval }, k) => {
          const operand = inputs[k]!
          return labelOf(shifted(entries[operand]!, -hidden(operands[operand]!, aval)))
        }),
      ),
    )
    const ends = endsOf(operation, along, labellings)
    // What a carry gathers over all parts is a partial sum from the start.
    const gathering = carries.filter(([operand, result]) => entries[operand] === null && ends[result] !== null)
    if (gathering.length > 0) {
      for (const [operand] of gathering) entries[operand] = 'sum'
      continue
    }
    if (!carries.every(([operand, result]) => entries[operand] === ends[result])) return undefined
    const decided = inner.every(({ outputs }, i) =>
      labellings[i]!.outputs.every(({ kind }, k) => (outputs[k] ?? null) !== null || kind === 'replicated'),
    )
    // A result that comes from no operand is made by parts only if its program does so.
    const made = labellings.some(({ outputs }) => outputs.some(({ kind }) => kind === 'split'))
    const concerned = made || entries.some((entry) => entry !== null)
    const results = ends.filter((entry) => entry !== undefined)
    if (!decided || !concerned || results.length < ends.length || !labellings.every(({ clean }) => clean))
      return undefined
    const piecesOf = inner.map(({ program, outputs }): Entry[] =>
      program.jaxpr.outputs.map(({ aval }, k) => {
        const result = outputs[k] ?? null
        return result === null ? null : shifted(results[result]!, -hidden(operation.results[result]!, aval))
      }),
    )
    const placed = labellings.some((labelling, i) => isPlaced(labelling, piecesOf[i]!))
    return {
      operands: entries,
      results,
      units: along.units,
      ...(placed && { placed }),
      parts: (span) =>
        inner.map(({ program }, i): ClosedJaxpr => {
          const { labels, choices } = labellings[i]!
          return cutProgram(program, choices, (v) => dimOf(labels.get(v)!), piecesOf[i]!, span)
        }),
    }
  }
}

/** Whether a part cuts its pieces out of something, so that it has to know where it lies. */
function isPlaced({ choices, outputs }: Labelling, pieces: readonly Entry[]): boolean {
  if (outputs.some(({ kind }, k) => kind === 'replicated' && typeof pieces[k] === 'number')) return true
  for (const { factor, whole } of choices.values()) {
    if (factor.offset === true || factor.placed === true) return true
    if (factor.operands.some((entry, i) => typeof entry === 'number' && whole[i])) return true
  }
  return false
}

/** What parts have of each result: the same in all programs that give it, else `undefined`. */
function endsOf({ results, inner }: Operation, along: Along, labellings: readonly Labelling[]): (Entry | undefined)[] {
  return results.map((aval, result) => {
    const found = inner.flatMap(({ program: { jaxpr }, outputs }, i) =>
      labellings[i]!.outputs.flatMap((label, k): (Entry | undefined)[] => {
        if (outputs[k] !== result) return []
        switch (label.kind) {
          case 'split':
            return [label.dim + hidden(aval, jaxpr.outputs[k]!.aval)]
          case 'partial':
            return [label.combination]
          // all of it, from which each part can cut its piece
          case 'replicated':
            return [along.results[result]!]
          case 'whole':
            return [undefined]
        }
      }),
    )
    return found.every((entry) => entry === found[0]) ? found[0] : undefined
  })
}
