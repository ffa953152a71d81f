/**
 * Which equations of a program run by parts along one axis. The program becomes stages, one after the other: first what is computed as a
 * whole, then a region, in which everything has a piece of the axis, or is combined over all pieces at its end.
 */
import {
  type Atom,
  type Equation,
  type Factor,
  type Jaxpr,
  Literal,
  type ScanParams,
  type Var,
  isEffectful,
} from '@fluxion/core'
import { type Analysis, factorsOf, staysZero } from '../axes/analysis.ts'
import { type Entry, type Label, labelOf } from '../axes/labels.ts'
import { hasLoop, isExpression } from './work.ts'

export interface Placement {
  /** `made`: follows from nothing that is cut, and costs nothing; computed as a whole, or by each part that wants its piece of it. */
  readonly kind: 'whole' | 'region' | 'made'
  readonly stage: number
  /** How it is run by parts. */
  readonly factor?: Factor
}
/** The stage in or before which a value is computed, and what parts have of it if that is in a region. */
interface State {
  readonly stage: number
  readonly label?: Label
  readonly made?: boolean
}
const always: State = { stage: 0 }

export interface Schedule {
  readonly placements: ReadonlyMap<Equation, Placement>
  readonly stages: number
}

/** @param isFixed what is not to be run by parts */
export function scheduleAlong(
  jaxpr: Jaxpr,
  analysis: Analysis,
  axis: number,
  isFixed: (e: Equation) => boolean,
): Schedule {
  const states = new Map<Var, State>()
  const zeros = new Set<Atom>()
  const placements = new Map<Equation, Placement>()
  let [stages, effects] = [1, 0]
  const stateOf = (atom: Atom): State => (atom instanceof Literal ? always : (states.get(atom) ?? always))
  const liesAlong = (atom: Atom | null, dim: number): boolean => {
    if (atom === null || atom instanceof Literal) return false
    const dims = analysis.dimsOn(atom, axis)
    return dims.length === 1 && dims[0] === dim
  }
  const isZero = (atom: Atom): boolean => (atom instanceof Literal ? atom.value === 0 : zeros.has(atom))
  const isInside = ({ label, stage: own }: State, stage: number): boolean => label !== undefined && own === stage

  /** Whether a factor can be used in the region of a stage: what is there as a whole can be cut, what parts have must fit. */
  const fitsAt = (factor: Factor, { inputs, outputs }: Equation, stage: number): boolean =>
    factor.operands.every((entry, i) => {
      const [atom, state] = [inputs[i]!, stateOf(inputs[i]!)]
      if (!isInside(state, stage))
        return (
          entry === null ||
          (typeof entry === 'number'
            ? analysis.dimsOn(atom as Var, axis).includes(entry)
            : entry === 'sum' && isZero(atom))
        )
      const label = state.label!
      return label.kind === 'split' ? label.dim === entry : label.kind === 'replicated' && entry === null
    }) &&
    factor.results.every(
      (entry, k) => typeof entry !== 'number' || outputs[k] === null || liesAlong(outputs[k]!, entry),
    )

  const placeAt = (equation: Equation, stage: number): Placement | undefined => {
    const { inputs, outputs } = equation
    for (const factor of factorsOf(equation)) {
      if (factor.offset === true || factor.placed === true || !fitsAt(factor, equation, stage)) continue
      const cut = inputs.filter((_, i) => typeof factor.operands[i] === 'number').map(stateOf)
      if (cut.some(({ made }) => made !== true)) {
        if (isIndependent(equation, factor)) continue
        return { kind: 'region', stage, factor }
      }
      const gives = factor.results.some((entry, k) => typeof entry === 'number' && outputs[k] !== null)
      const isMade = isExpression(equation) && !inputs.some((atom) => isInside(stateOf(atom), stage))
      if (gives) return { kind: isMade ? 'made' : 'region', stage, factor }
    }
    return undefined
  }

  for (const equation of jaxpr.equations) {
    const operands = equation.inputs.map(stateOf)
    const ready = operands.reduce((most, { stage, label }) => Math.max(most, stage + (label === undefined ? 0 : 1)), 0)
    const early = operands.reduce((most, { stage }) => Math.max(most, stage), 0)
    const once = isEffectful(equation)
    let placement: Placement | undefined
    if (!once && !isFixed(equation)) {
      placement = placeAt(equation, early)
      if (placement === undefined && ready !== early) placement = placeAt(equation, ready)
    }
    if (once) effects = Math.max(effects, ready)
    placement ??= { kind: 'whole', stage: once ? effects : ready }
    placements.set(equation, placement)
    const { kind, stage, factor } = placement
    stages = Math.max(stages, stage + 1)
    const zero = factorsOf(equation).some(({ operands: entries }) => staysZero(entries, equation.inputs.map(isZero)))
    equation.outputs.forEach((v, k) => {
      if (v === null) return
      if (zero) zeros.add(v)
      const entry: Entry = factor?.results[k] ?? null
      states.set(v, kind === 'region' ? { stage, label: labelOf(entry) } : { stage, made: kind === 'made' })
    })
  }
  sink(jaxpr, placements)
  return { placements, stages }
}

/** Let regions take in, of those before them, what only they need: it is run by the same parts, and lies in no memory between. */
function sink({ equations, outputs }: Jaxpr, placements: Map<Equation, Placement>): void {
  // The last region that may give a value, as pieces or not, to all that use it.
  const latest = { pieces: new Map<Atom, number>(), whole: new Map<Atom, number>() }
  const limit = (to: Map<Atom, number>, atom: Atom, stage: number): void => {
    to.set(atom, Math.min(to.get(atom) ?? Infinity, stage))
  }
  for (const to of Object.values(latest)) for (const atom of outputs) limit(to, atom, -1)
  for (const equation of equations.toReversed()) {
    const { kind, stage, factor } = placements.get(equation)!
    let own = stage
    if (kind === 'region') {
      const limits = equation.outputs.map((v, k) => {
        const uses = typeof factor!.results[k] === 'number' ? latest.pieces : latest.whole
        return v === null ? Infinity : (uses.get(v) ?? Infinity)
      })
      const last = Math.min(...limits)
      if (last > stage && last < Infinity) placements.set(equation, { kind, stage: (own = last), factor: factor! })
    }
    equation.inputs.forEach((atom, i) => {
      const isPiece = kind === 'region' && typeof factor!.operands[i] === 'number'
      limit(latest.pieces, atom, isPiece ? own : own - 1)
      limit(latest.whole, atom, own - 1)
    })
  }
}

/**
 * A loop around loops that hands on nothing that is cut: its steps, such as batches, need nothing of each other but what has been combined,
 * so that each is better cut by itself.
 */
function isIndependent(equation: Equation, { operands }: Factor): boolean {
  if (equation.primitive.name !== 'scan') return false
  const { jaxpr, numConsts, numCarry } = equation.params as ScanParams
  const carries = operands.slice(numConsts, numConsts + numCarry)
  return !carries.some((entry) => typeof entry === 'number') && jaxpr.jaxpr.equations.some(hasLoop)
}
