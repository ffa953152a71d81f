/**
 * Scans whose iterations need nothing from each other but that they add to the same sums, or count: groups of iterations that may run side by side, each
 * with sums of its own, which are put together in the order of the groups. How many groups there are depends on the scan alone.
 */
import {
  type ClosedJaxpr,
  type DType,
  type Equation,
  Literal,
  type ScanParams,
  type Var,
  allBits,
  bytesOf,
  highest,
  isEffectful,
  isFloat,
  lowest,
  sizeOf,
  subprograms,
} from '@fluxion/core'
import type { Facts } from '../passes/facts/factsOf.ts'
import { usesOf } from '../passes/scans/rewriteScans.ts'
import { add, constant, convert, gridOver, i32, load, mul, scalarType, variable } from '../loops/build.ts'
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
const combining: Readonly<Record<string, string>> = {
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
  switch (combine) {
    case 'add':
      return isFloat(dtype) ? -0 : 0
    case 'max':
      return lowest(dtype)
    case 'min':
      return highest(dtype)
    case 'and':
      return allBits(dtype)
    default:
      return 0
  }
}

/** What an iteration does with a carry: it gathers something to it by an operation, or counts it up by a number, so that any iteration knows it. */
type Kept = { readonly gather: string } | { readonly count: number }
/** How each carry is kept; nothing if one is used for anything else. */
function keptOf(
  { jaxpr }: ClosedJaxpr,
  numConsts: number,
  numCarry: number,
  facts: Facts,
): readonly Kept[] | undefined {
  const { inputs, outputs, equations } = jaxpr
  const uses = usesOf(jaxpr)
  const found: Kept[] = []
  for (let i = 0; i < numCarry; i++) {
    const [carry, out] = [inputs[numConsts + i]!, outputs[i]!]
    const equation = equations.find((each) => each.outputs.includes(out as Var))
    const count = equation && countOf(equation, carry)
    if (count !== undefined && uses.get(out) === 1) {
      found.push({ count })
      continue
    }
    const combine = equation && combining[equation.primitive.name]
    if (combine === undefined || uses.get(carry) !== 1 || uses.get(out) !== 1) return undefined
    const at = equation!.inputs.indexOf(carry)
    const pointwise = equation!.primitive.name === combine
    const { dtype } = carry.aval
    // Sums of halves lose too much in another order, and truth values are not added.
    const adds = combine !== 'add' || (dtype !== 'float16' && dtype !== 'bfloat16' && dtype !== 'bool')
    // What starts from −∞ is not 0 or 1 as the carry is known to be.
    const stays = dtype === 'bool' || !facts.of(carry).zeroOne
    if (!adds || !stays || at < 0 || (at > 0 && !pointwise)) return undefined
    found.push({ gather: combine })
  }
  return found
}
/** By how much an equation counts a variable up. */
function countOf({ primitive, inputs }: Equation, carry: Var): number | undefined {
  const step = inputs.find((atom) => atom !== carry)
  const counts = primitive.name === 'add' && carry.aval.shape.length === 0 && inputs.includes(carry)
  const whole = carry.aval.dtype === 'int32' || carry.aval.dtype === 'uint32'
  return counts && whole && step instanceof Literal ? step.value : undefined
}
/** Whether a program calls the host. */
const callsHost = ({ jaxpr }: ClosedJaxpr): boolean =>
  jaxpr.equations.some(
    (equation) =>
      isEffectful(equation) || 'callback' in equation.params || subprograms(equation.params).some(callsHost),
  )

/** Into how many groups the iterations go; one or none if that is not worth it. */
function groupsFor(body: ClosedJaxpr, length: number, gathered: readonly Var[], least = leastWork): number {
  const work = length * workOf(body)
  if (work < least) return 1
  const elements = gathered.reduce((sum, { aval }) => sum + sizeOf(aval.shape), 0)
  const bytes = gathered.reduce((sum, { aval }) => sum + sizeOf(aval.shape) * bytesOf(aval.dtype), 0)
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
  bodyOf: (from: readonly Place[], to: readonly Place[]) => Step[],
): readonly Place[] | undefined {
  const { builder } = block
  const { jaxpr, length, numConsts, numCarry } = params as ScanParams
  if (builder.target.parallel || builder.grouped || length < 2 || callsHost(jaxpr)) return undefined
  const body = withoutCalls(jaxpr)
  const kept = keptOf(body, numConsts, numCarry, builder.facts)
  if (kept === undefined) return undefined
  const variables = body.jaxpr.inputs.slice(numConsts, numConsts + numCarry)
  const gathered = variables.filter((_, i) => 'gather' in kept[i]!)
  const groups = groupsFor(body, length, gathered, builder.target.groups?.work)
  if (groups < 2) return undefined

  const group = new Counter(groups)
  const carries = init.map((value, i): Carry => {
    const how = kept[i]!
    return 'gather' in how ? gathering(block, value, how.gather, group) : counting(block, value, how.count, counter)
  })
  const parallel: Parallel = builder.inGroups(() => ({
    op: 'parallel',
    group,
    counter,
    begin: builder.collect(() => carries.forEach(({ begin }) => begin())),
    body: bodyOf(
      carries.map(({ from }) => from),
      carries.map(({ to }) => to),
    ),
  }))
  if (privateBytesOf(parallel) > mostPrivateBytes) return undefined
  for (const { before } of carries) before()
  builder.emit(parallel)
  return carries.map(({ finish }, i) => {
    const place = block.destinationOf(outputs[i]!) ?? builder.placeFor(init[i]!.aval)
    finish(place)
    return place
  })
}
/** Where iterations read and write a carry, and what happens before the step, at the start of each group, and after the step. */
interface Carry {
  readonly from: Place
  readonly to: Place
  readonly before: () => void
  readonly begin: () => void
  readonly finish: (to: Place) => void
}
function gathering(block: Block, init: Value, how: string, group: Counter): Carry {
  const { dtype, shape } = init.aval
  const size = sizeOf(shape)
  const sums = new Slot(dtype, group.length * size)
  const own: Place = { slot: sums, offset: 0, moves: [{ counter: group, stride: size }] }
  const nothing = new Value(init.aval, { literal: neutral(how, dtype) })
  return {
    from: own,
    to: own,
    before: () => {},
    begin: () => block.builder.write(nothing, own),
    finish: (to) => {
      block.demandUnits(init)
      combine(block, init, how, sums, group.length, to)
    },
  }
}
/** All the numbers that the carry counts through, and a place for what each iteration makes of its own. */
function counting(block: Block, init: Value, by: number, counter: Counter): Carry {
  const { builder } = block
  const { aval } = init
  const numbers = new Slot(aval.dtype, counter.length)
  const count = new LoopVar('count', counter.length)
  const type = scalarType(aval.dtype)
  const after = (times: Expr): Expr => add(builder.element(init, []), mul(convert(type, times), constant(type, by)))
  const fill = (to: Place, length: number, grid: readonly LoopVar[], at: Expr, times: Expr): void => {
    block.demandUnits(init)
    const out = builder.bufferAt(to, length, 'out')
    builder.inKernels(() => builder.nest('count', grid, [builder.stored(out, at, after(times))]))
  }
  return {
    from: { slot: numbers, offset: 0, moves: [{ counter, stride: 1 }] },
    to: builder.placeFor(aval),
    before: () => fill(placeOf(numbers), counter.length, [count], variable(count), variable(count)),
    begin: () => {},
    finish: (to) => fill(to, 1, [], i32(0), i32(counter.length)),
  }
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
  const grid = gridOver(aval.shape)
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
