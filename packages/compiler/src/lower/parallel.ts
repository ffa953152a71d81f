/**
 * Scans whose iterations need nothing from each other but that they add to the same sums: groups of iterations that may run side by side, each
 * with sums of its own, which are put together in the order of the groups. How many groups there are depends on the scan alone.
 */
import {
  type ClosedJaxpr,
  type DType,
  type Equation,
  type ScanParams,
  type Var,
  bytesOf,
  dtypes,
  isFloat,
  isEffectful,
  sizeOf,
  subprograms,
} from '@fluxion/core'
import type { Facts } from '../passes/facts/factsOf.ts'
import { load, variable } from '../loops/build.ts'
import { flatIndex, indexAdd } from '../loops/indices.ts'
import { type Expr, LoopVar } from '../loops/ir.ts'
import { accessOf } from '../program/access.ts'
import { walkSteps } from '../program/places.ts'
import { planMemory } from '../program/plan.ts'
import { Counter, type Parallel, type Place, Slot, type Step, placeOf } from '../program/program.ts'
import type { Block } from './block.ts'
import { withoutCalls } from './calls.ts'
import { pointwiseRow } from './table.ts'
import { Value } from './value.ts'
import { workOf } from './work.ts'

/** More groups would balance better, and take more sums. */
const mostGroups = 16
/** Less work than this, in operations, is not worth waking anyone. */
const leastWork = 2 ** 19
/** What an element of a group's sums costs to begin and to gather, in operations, and the share of the work that this may take. */
const costOfSum = 8
const shareOfSums = 1 / 4
const mostSumBytes = 64 * 2 ** 20
/** What each runner may need for itself: bodies that need more are run one after the other, and perhaps in parallel inside. */
const mostPrivateBytes = 16 * 2 ** 20

/** Operations that add to their first operand, or the second where that is as good, and how the sums of groups go together. */
const gathering: Readonly<Record<string, string>> = {
  add: 'add',
  max: 'max',
  min: 'min',
  and: 'and',
  or: 'or',
  'scatter-add': 'add',
  'scatter-max': 'max',
  'scatter-min': 'min',
}
/** What changes nothing when something is gathered to it; of floats that is −0, since −0 + −0 is −0. */
function neutral(combine: string, dtype: DType): number {
  const { min, max } = dtypes[dtype]
  switch (combine) {
    case 'add':
      return isFloat(dtype) ? -0 : 0
    case 'max':
      return isFloat(dtype) ? -Infinity : min
    case 'min':
      return isFloat(dtype) ? Infinity : max
    case 'and':
      return dtype === 'bool' ? 1 : min < 0 ? -1 : max
    default:
      return 0
  }
}

/** How each carry is gathered; nothing if one is used for anything else. */
function gathersOf(
  { jaxpr }: ClosedJaxpr,
  numConsts: number,
  numCarry: number,
  facts: Facts,
): readonly string[] | undefined {
  const { inputs, outputs, equations } = jaxpr
  const uses = new Map<unknown, number>()
  for (const atom of [...outputs, ...equations.flatMap((equation) => equation.inputs)])
    uses.set(atom, (uses.get(atom) ?? 0) + 1)
  const found: string[] = []
  for (let i = 0; i < numCarry; i++) {
    const [carry, out] = [inputs[numConsts + i]!, outputs[i]!]
    const equation = equations.find((each) => each.outputs.includes(out as Var))
    const combine = equation && gathering[equation.primitive.name]
    if (combine === undefined || uses.get(carry) !== 1 || uses.get(out) !== 1) return undefined
    const at = equation!.inputs.indexOf(carry)
    const pointwise = equation!.primitive.name === combine
    const { dtype } = carry.aval
    // Sums of halves lose too much in another order, and truth values are not added.
    const adds = combine !== 'add' || (dtype !== 'float16' && dtype !== 'bfloat16' && dtype !== 'bool')
    // What starts from −∞ is not 0 or 1 as the carry is known to be.
    const stays = dtype === 'bool' || !facts.of(carry).zeroOne
    if (!adds || !stays || at < 0 || (at > 0 && !pointwise)) return undefined
    found.push(combine)
  }
  return found
}
/** Whether a program calls the host. */
const callsHost = ({ jaxpr }: ClosedJaxpr): boolean =>
  jaxpr.equations.some(
    (equation) =>
      isEffectful(equation) || 'callback' in equation.params || [...subprograms(equation.params)].some(callsHost),
  )

/** Into how many groups the iterations go; one or none if that is not worth it. */
function groupsFor(body: ClosedJaxpr, length: number, carries: readonly Var[], least = leastWork): number {
  const work = length * workOf(body)
  if (work < least) return 1
  const elements = carries.reduce((sum, { aval }) => sum + sizeOf(aval.shape), 0)
  const bytes = carries.reduce((sum, { aval }) => sum + sizeOf(aval.shape) * bytesOf(aval.dtype), 0)
  const byWork = Math.floor((work * shareOfSums) / (costOfSum * Math.max(1, elements)))
  return Math.min(length, mostGroups, byWork, Math.floor(mostSumBytes / Math.max(1, bytes)))
}

/**
 * Lower a scan to a parallel step, if it can be and is worth it; gives the places of what the carries are in the end.
 *
 * @param bodyOf the steps of the body, with carries read and written at these places
 */
export function parallelScan(
  block: Block,
  { params, outputs }: Equation,
  counter: Counter,
  init: readonly Value[],
  bodyOf: (carries: readonly Place[]) => Step[],
): readonly Place[] | undefined {
  const { builder } = block
  const { jaxpr, length, numConsts, numCarry } = params as ScanParams
  if (builder.target.parallel || builder.grouped || length < 2 || callsHost(jaxpr)) return undefined
  const body = withoutCalls(jaxpr)
  const gathers = gathersOf(body, numConsts, numCarry, builder.facts)
  if (gathers === undefined) return undefined
  const carries = body.jaxpr.inputs.slice(numConsts, numConsts + numCarry)
  const groups = groupsFor(body, length, carries, builder.target.groups?.work)
  if (groups < 2) return undefined

  const group = new Counter(groups)
  const sums = carries.map(({ aval: { dtype, shape } }): Place => {
    const size = sizeOf(shape)
    return { slot: new Slot(dtype, groups * size), offset: 0, moves: [{ counter: group, stride: size }] }
  })
  const parallel: Parallel = builder.inGroups(() => ({
    op: 'parallel',
    group,
    counter,
    begin: builder.collect(() =>
      carries.forEach(({ aval }, i) =>
        builder.write(new Value(aval, { literal: neutral(gathers[i]!, aval.dtype) }), sums[i]!),
      ),
    ),
    body: bodyOf(sums),
  }))
  if (privateBytesOf(parallel) > mostPrivateBytes) return undefined
  builder.emit(parallel)
  return init.map((value, i) => {
    const place = block.destinationOf(outputs[i]!) ?? builder.placeFor(value.aval)
    block.demandUnits(value)
    combine(block, value, gathers[i]!, sums[i]!.slot, groups, place)
    return place
  })
}
/** What each runner needs: what is only read was written before. */
function privateBytesOf(parallel: Parallel): number {
  const [read, written] = [new Set<Slot>(), new Set<Slot>()]
  walkSteps([parallel], (step) => {
    const { reads, writes } = accessOf(step)
    for (const { slot } of reads) read.add(slot)
    for (const { slot } of writes) written.add(slot)
  })
  const inputs = [...read].filter((slot) => !written.has(slot))
  return planMemory({ name: '', inputs, captured: [], outputs: [], steps: [parallel] }).privateBytes
}

/** Store what a carry began with and the groups' sums together, in order. */
function combine(block: Block, init: Value, how: string, sums: Slot, groups: number, to: Place): void {
  const { builder } = block
  const { aval } = init
  const size = sizeOf(aval.shape)
  const row = pointwiseRow(how)
  const from = builder.bufferAt(placeOf(sums), sums.length, 'sums')
  const out = builder.bufferAt(to, size, 'out')
  const grid = aval.shape.map((extent, axis) => new LoopVar('ijklmn'[axis] ?? `i${axis}`, extent))
  const index = grid.map(variable)
  const at = flatIndex(index, aval.shape)
  const operand = (x: Expr) => ({ aval, at: () => x })
  builder.inKernels(() => {
    let total = builder.element(init, index)
    for (let group = 0; group < groups; group++) {
      const next = load(from, indexAdd(at, group * size))
      total = row.at([operand(total), operand(next)], {} as never, [aval], index, 0, builder.target)
    }
    builder.nest('combine', grid, [builder.stored(out, at, total)])
  })
}
