/** Operations that hold programs, as steps: loops, conditions, and calls of the host. */
import {
  type CallbackParams,
  type CondParams,
  type Equation,
  type ScanParams,
  type Var,
  type WhileParams,
  sizeOf,
  runnable,
} from '@fluxion/core'
import { Counter, type Place, Slot, type Step, placeOf } from '../program/program.ts'
import type { Block } from './block.ts'
import type { Builder } from './builder.ts'
import { updatedCarries } from './inPlace.ts'
import { parallelScan } from './parallel.ts'
import { scanKernel } from './scanKernel.ts'
import { Value } from './value.ts'
import { ownConstant, prepareFactors } from './factors.ts'
import { histories } from './histories.ts'

const isZeroOne = (builder: Builder, variable: Var | null): boolean =>
  variable !== null && builder.facts.of(variable).zeroOne
type Lower = (block: Block, equation: Equation, operands: readonly Value[]) => void

const offsetBy = (place: Place, elements: number): Place => ({ ...place, offset: place.offset + elements })
/** One element of a stacked array at each count. */
const stepping = (place: Place, counter: Counter, size: number, reverse: boolean): Place => ({
  ...offsetBy(place, reverse ? (counter.length - 1) * size : 0),
  moves: [...place.moves, { counter, stride: reverse ? -size : size }],
})

function scan(block: Block, equation: Equation, operands: readonly Value[]): void {
  if (scanKernel(block, equation, operands)) return
  const { params, outputs } = equation
  const { builder } = block
  const { jaxpr, length, reverse, numConsts, numCarry } = params as ScanParams
  const consts = operands
    .slice(0, numConsts)
    .map((value) => (value.literal === undefined ? block.placed(value) : value))
  const init = operands.slice(numConsts, numConsts + numCarry)
  const xs = operands.slice(numConsts + numCarry).map((value) => block.placed(value))
  const avals = jaxpr.jaxpr.outputs.map(({ aval }) => aval)
  const counter = new Counter(length)

  const stacked = avals.slice(numCarry).map((aval, i) => {
    const out = outputs[numCarry + i]!
    const place =
      block.destinationOf(out) ??
      builder.placeFor({ dtype: aval.dtype, shape: [length, ...aval.shape] }, isZeroOne(builder, out))
    return { place, to: stepping(place, counter, sizeOf(aval.shape), reverse) }
  })

  const given = consts.map((value) => (value.literal === undefined ? ownConstant(value) : value))
  if (length > 1) prepareFactors(builder, jaxpr, given)
  const bodyOf = (from: readonly Place[], to = from, stacks: readonly (Place | undefined)[] = []): Step[] => {
    const inputs = [
      ...given,
      ...from.map((place, i) => new Value(init[i]!.aval, { place })),
      ...xs.map(({ aval, place }) => {
        const element = { ...aval, shape: aval.shape.slice(1) }
        return new Value(element, { place: stepping(place!, counter, sizeOf(element.shape), reverse) })
      }),
    ]
    return builder.collect(() =>
      block.within(jaxpr, inputs, [...to, ...stacked.map((each, i) => stacks[i] ?? each.to)]).run(),
    )
  }
  const parallel = parallelScan(block, equation, counter, init, bodyOf)
  const { last, stacks } =
    parallel === undefined
      ? sequentialScan(block, equation, counter, init, bodyOf)
      : { last: parallel, stacks: new Map<number, Place>() }
  outputs.forEach((variable, i) => {
    if (variable === null) return
    const place = i < numCarry ? last[i]! : (stacks.get(i - numCarry) ?? stacked[i - numCarry]!.place)
    block.define(variable, new Value(variable.aval, { place }))
  })
}
function sequentialScan(
  block: Block,
  equation: Equation,
  counter: Counter,
  init: readonly Value[],
  bodyOf: (from: readonly Place[], to: readonly Place[], stacks: readonly (Place | undefined)[]) => Step[],
): { readonly last: readonly Place[]; readonly stacks: ReadonlyMap<number, Place> } {
  const { builder } = block
  const { params } = equation
  const { jaxpr, length, numConsts, numCarry } = params as ScanParams
  // A carry has two halves: a step reads one and writes the other. One that is updated in place has one, and one that is stacked lies in the stack.
  const updated = updatedCarries(jaxpr.jaxpr, numConsts, numCarry)
  const kept = histories(block, equation, counter)
  const carries = init.map(({ aval }, i) => {
    const size = sizeOf(aval.shape)
    const history = kept.get(i)
    if (history !== undefined) return history
    if (updated.has(i)) {
      const place = builder.temporary(aval)
      return { from: place, to: place, last: place, first: place }
    }
    const slot = new Slot(
      builder.storageOf(aval.dtype, 2 * size, isZeroOne(builder, jaxpr.jaxpr.inputs[numConsts + i]!)),
      2 * size,
    )
    const half = (offset: number, stride: number): Place => ({
      slot,
      offset,
      moves: [{ counter, stride, alternate: true }],
    })
    return {
      from: half(0, size),
      to: half(size, -size),
      last: offsetBy(placeOf(slot), (length % 2) * size),
      first: placeOf(slot),
    }
  })
  init.forEach((value, i) => block.write(value, carries[i]!.first))
  const within: (Place | undefined)[] = []
  const stacks = new Map<number, Place>()
  for (const { stacked } of kept.values())
    for (const { index, step, place } of stacked) {
      within[index] = step
      stacks.set(index, place)
    }
  const body = bodyOf(
    carries.map(({ from }) => from),
    carries.map(({ to }) => to),
    within,
  )
  if (length > 0) builder.emit({ op: 'loop', counter, body })
  return { last: carries.map(({ last }) => last), stacks }
}

function whileLoop(block: Block, { params, outputs }: Equation, operands: readonly Value[]): void {
  const { builder } = block
  const { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts } = params as WhileParams
  const consts = operands
    .slice(0, condNconsts + bodyNconsts)
    .map((value) => (value.literal === undefined ? block.placed(value) : value))
  const init = operands.slice(condNconsts + bodyNconsts)
  const updated = updatedCarries(bodyJaxpr.jaxpr, bodyNconsts, init.length)
  const carries = init.map((value, i) => {
    const place = builder.temporary(value.aval)
    const next = updated.has(i) ? place : builder.temporary(value.aval)
    block.write(value, place)
    return { place, next, aval: value.aval }
  })
  const carried = (): Value[] => carries.map(({ place, aval }) => new Value(aval, { place }))
  const flag = builder.temporary({ dtype: 'bool', shape: [] })
  const test = builder.collect(() => {
    block.within(condJaxpr, [...consts.slice(0, condNconsts), ...carried()], [flag]).run()
  })
  const body = builder.collect(() => {
    const destinations = carries.map(({ next }) => next)
    block.within(bodyJaxpr, [...consts.slice(condNconsts), ...carried()], destinations).run()
    for (const { place, next, aval } of carries) {
      const length = sizeOf(aval.shape)
      if (length > 0 && next !== place) builder.emit({ op: 'copy', from: next, to: place, length })
    }
  })
  builder.emit({ op: 'while', test, flag, body })
  outputs.forEach((variable, i) => block.define(variable, new Value(carries[i]!.aval, { place: carries[i]!.place })))
}

function cond(block: Block, { params, outputs }: Equation, [index, ...operands]: readonly Value[]): void {
  const { builder } = block
  const { branches } = params as CondParams
  const inputs = operands.map((value) => (value.literal === undefined ? block.placed(value) : value))
  const avals = branches[0]!.jaxpr.outputs.map(({ aval }) => aval)
  const places = avals.map((aval, i) => block.destinationOf(outputs[i]!) ?? builder.placeFor(aval))
  const at = block.placed(index!).place!
  const steps = branches.map((branch) => builder.collect(() => void block.within(branch, inputs, places).run()))
  builder.emit({ op: 'switch', index: at, branches: steps })
  outputs.forEach((variable, i) => block.define(variable, new Value(avals[i]!, { place: places[i]! })))
}

function callback(block: Block, { primitive, params, outputs }: Equation, operands: readonly Value[]): void {
  const { builder } = block
  const { resultAvals } = params as CallbackParams
  const inputs = operands.map((value) => ({ aval: value.aval, place: block.exactlyPlaced(value) }))
  const results = resultAvals.map((aval, i) => ({
    aval,
    place: block.exactDestinationOf(outputs[i] ?? null) ?? builder.temporary(aval),
  }))
  builder.emit({ op: 'callback', primitive: runnable(primitive), params, inputs, outputs: results })
  outputs.forEach((variable, i) => block.define(variable, new Value(results[i]!.aval, { place: results[i]!.place })))
}

export const control: Readonly<Record<string, Lower>> = {
  scan,
  while: whileLoop,
  cond,
  debug_callback: callback,
  pure_callback: callback,
  io_callback: callback,
}
