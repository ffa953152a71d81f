/**
 * Lowers the equations of one program, in order. Values that need memory wait until something asks for them; then those of one shape
 * that are ready are computed by one kernel.
 */
import { type Atom, type ClosedJaxpr, type Equation, Literal, MissingRuleError, type Var, sizeOf } from '@fluxion/core'
import { scalarType } from '../loops/build.ts'
import type { Buffer } from '../loops/ir.ts'
import type { Place } from '../program/program.ts'
import { withoutCalls } from './calls.ts'
import { type Builder, rearrangement } from './builder.ts'
import { control } from './control.ts'
import { readAfter, updateWindow, updatesInPart } from './inPlace.ts'
import type { KernelBuilder, KernelRow, Operand } from './lowering.ts'
import { copyRow, isAlias, isPointwise, rowOf } from './table.ts'
import { type Uses, usesOf } from './uses.ts'
import { type Needs, Value, unitsOf } from './value.ts'

/** As many results of one kernel: more cost registers and bindings. */
const most = 8

export class Block {
  readonly builder: Builder
  readonly #jaxpr: ClosedJaxpr['jaxpr']
  readonly #uses: Uses
  readonly #values = new Map<Var, Value>()
  /** Where results that are known to be wanted in a place go. */
  readonly #places: readonly (Place | undefined)[]
  readonly #destinations = new Map<Var, Place>()
  #pending: Value[] = []

  /** `destinations` has a place for each output, or none for one that may lie anywhere. */
  constructor(
    builder: Builder,
    program: ClosedJaxpr,
    inputs: readonly Value[],
    destinations: readonly (Place | undefined)[],
  ) {
    const { jaxpr, consts } = withoutCalls(program)
    this.builder = builder
    this.#places = destinations
    this.#jaxpr = jaxpr
    this.#uses = usesOf(jaxpr, builder)
    jaxpr.constants.forEach((variable, i) => this.#values.set(variable, builder.capture(consts[i]!)))
    jaxpr.inputs.forEach((variable, i) => this.define(variable, inputs[i]!))
    jaxpr.outputs.forEach((atom, i) => {
      const place = destinations[i]
      if (place !== undefined && !(atom instanceof Literal) && !this.#destinations.has(atom))
        this.#destinations.set(atom, place)
    })
  }

  /** The equations of a program that one of this block's holds: the body of a loop, or a branch. */
  within(program: ClosedJaxpr, inputs: readonly Value[], destinations: readonly (Place | undefined)[]): Block {
    return new Block(this.builder, program, inputs, destinations)
  }
  /** Emit the steps; the results have places, the given ones where there are any. */
  run(): Value[] {
    for (const equation of this.#jaxpr.equations) this.#lower(equation)
    const outputs = this.#jaxpr.outputs.map((atom, i) => {
      const value = this.#valueOf(atom)
      const to = this.#places[i]
      return to === undefined || goesTo(value, to) || value.literal !== undefined ? value : this.#copied(value, to)
    })
    for (const value of outputs) if (value.literal === undefined) this.demand(value)
    return outputs.map((value, i) => {
      if (value.literal === undefined) return value
      const place = this.#places[i] ?? this.builder.placeFor(value.aval)
      this.builder.write(value, place)
      return new Value(value.aval, { place })
    })
  }
  /** A result that is in memory elsewhere, or will be: copied by a kernel that reads it anyway, if there is one. */
  #copied(value: Value, to: Place): Value {
    const origin = {
      primitive: 'copy',
      row: copyRow,
      params: {},
      operands: [value],
      outs: [value.aval],
      result: 0,
      pointwise: true,
    }
    const copy = new Value(value.aval, { origin })
    copy.wanted = true
    copy.destination = to
    this.#pending.push(copy)
    return copy
  }

  #valueOf(atom: Atom): Value {
    if (atom instanceof Literal) {
      const value = new Value(atom.aval, { literal: atom.value })
      value.zeroOne = this.builder.facts.of(atom).zeroOne
      return value
    }
    return this.#values.get(atom)!
  }
  destinationOf(variable: Var | null): Place | undefined {
    return variable === null ? undefined : this.#destinations.get(variable)
  }
  /** The same, if its dtype is the variable's: for what does not round before it stores. */
  exactDestinationOf(variable: Var | null): Place | undefined {
    const place = this.destinationOf(variable)
    return place?.slot.dtype === variable?.aval.dtype ? place : undefined
  }
  /** The place of a value, as its dtype says. */
  exactlyPlaced(value: Value): Place {
    const { aval } = value
    const { place } = this.placed(value)
    if (place!.slot.dtype === aval.dtype) return place!
    const exact = this.builder.temporary(aval)
    this.builder.write(value, exact)
    return exact
  }
  define(variable: Var | null, value: Value): void {
    if (variable === null) return
    value.zeroOne ||= this.builder.facts.of(variable).zeroOne
    this.#values.set(variable, value)
  }

  #lower(equation: Equation): void {
    const { primitive, params, inputs, outputs } = equation
    const operands = inputs.map((atom) => this.#valueOf(atom))
    const special = control[primitive.name]
    if (special !== undefined) {
      special(this, equation, operands)
      return
    }
    // What works element by element may read the place that it writes to; what changes a part leaves the rest there.
    const inPlace = operands[0]?.place !== undefined && operands[0].place === this.destinationOf(outputs[0] ?? null)
    if (inPlace && updatesInPart(equation)) {
      this.#updateInPlace(equation, operands)
      return
    }
    const row = rowOf(equation)
    if (row === undefined) {
      throw new MissingRuleError(
        `${primitive.name}: there is no lowering for this primitive\nhint: the reference back end runs it: FLUXION_DEVICE=reference`,
      )
    }
    if (row.kind === 'kernels') {
      this.#lowerKernels(equation, row, operands)
      return
    }
    const outs = outputs.map(
      (variable, i) =>
        variable?.aval ??
        primitive.type(
          inputs.map(({ aval }) => aval),
          params as never,
        )[i]!,
    )
    outputs.forEach((variable, result) => {
      if (variable === null) return
      const [first] = operands
      const shares =
        isAlias(equation) &&
        first!.literal === undefined &&
        (first!.place !== undefined || first!.wanted || first!.alias !== undefined)
      const value = new Value(variable.aval, {
        origin: { primitive: primitive.name, row, params, operands, outs, result, pointwise: isPointwise(equation) },
        alias: shares ? first : undefined,
      })
      value.wanted = this.#uses.wanted.has(variable)
      value.destination = this.#destinations.get(variable)
      if (shares) first!.offer(value.destination)
      else if (value.wanted) this.#pending.push(value)
      this.define(variable, value)
    })
  }

  #lowerKernels(
    { params, outputs, inputs, primitive }: Equation,
    row: KernelRow<never>,
    operands: readonly Value[],
  ): void {
    const { builder } = this
    const avals = outputs.includes(null)
      ? primitive.type(
          inputs.map(({ aval }) => aval),
          params as never,
        )
      : outputs.map((variable) => variable!.aval)
    const places = avals.map((aval, i) => this.exactDestinationOf(outputs[i]!) ?? builder.temporary(aval))
    const buffers = avals.map((aval, i) => builder.bufferAt(places[i]!, sizeOf(aval.shape), 'out'))
    const values = new Map<Operand, Value>()
    const given = operands.map((value) => {
      const operand = builder.operand(value)
      values.set(operand, value)
      return operand
    })
    const build: KernelBuilder = {
      target: builder.target,
      temporary: (dtype, length): Buffer =>
        builder.bufferAt(builder.temporary({ dtype, shape: [length] }), length, 'temporary'),
      buffer: (operand) => {
        const value = values.get(operand)!
        return builder.bufferOf(value.literal === undefined ? this.#asItsType(value) : this.#written(value))
      },
      nest: (name, grid, body) => builder.nest(name, grid, body),
    }
    for (const value of operands) this.demandUnits(value)
    builder.inKernels(() => row.emit(build, given, params as never, buffers, avals))
    outputs.forEach((variable, i) => this.define(variable, new Value(avals[i]!, { place: places[i]! })))
  }
  /** An update of a carry where it lies: whatever is still to be computed from the carry as it was comes first. */
  #updateInPlace(equation: Equation, operands: readonly Value[]): void {
    const [carry, ...others] = operands
    const later = readAfter(this.#jaxpr, equation)
    for (const [variable, value] of this.#values) {
      if (value.place === undefined && value.literal === undefined && later.has(variable) && dependsOn(value, carry!))
        this.demand(value)
    }
    const [out] = equation.outputs
    if (equation.primitive.name === 'dynamic_update_slice') {
      const [update, ...starts] = others.map((value) => (value.literal === undefined ? this.placed(value) : value))
      this.builder.inKernels(() => updateWindow(this.builder, carry!, update!, starts))
      this.define(out!, new Value(carry!.aval, { place: carry!.place! }))
    } else this.#lowerKernels(equation, rowOf(equation) as KernelRow<never>, operands)
  }
  #written(literal: Value): Value {
    const place = this.builder.temporary(literal.aval)
    this.builder.write(literal, place)
    return new Value(literal.aval, { place })
  }
  /** The value, in memory in its machine type. */
  #asItsType(value: Value): Value {
    const { aval } = this.placed(value)
    if (scalarType(value.place!.slot.dtype) === scalarType(aval.dtype)) return value
    return new Value(aval, { place: this.exactlyPlaced(value) })
  }
  /** The value in memory; a literal is written there. */
  placed(value: Value): Value {
    if (value.literal !== undefined) return this.#written(value)
    this.demand(value)
    return value
  }

  /** Emit kernels until the value has a place. */
  demand(value: Value): void {
    while (value.place === undefined) this.#emit(firstOf(value))
  }
  /** Emit the units that a value is computed from. */
  demandUnits(value: Value): void {
    if (value.place !== undefined || value.literal !== undefined) return
    if (value.isUnit) this.demand(value)
    else for (const unit of unitsOf(value).keys()) this.demand(unit)
  }
  /** Write a value to a place, after the units that it is computed from. */
  write(value: Value, to: Place): void {
    this.demandUnits(value)
    this.builder.write(value, to)
  }

  #emit(unit: Value): void {
    this.#pending = this.#pending.filter((value) => value.place === undefined)
    const product = unit.origin!.row.kind === 'product'
    // All values of the unit's shape that can be computed beside it, in order, with the units that they need.
    const ready = new Map<Value, Needs>([[unit, new Map()]])
    for (const value of this.#pending) {
      if (value === unit || value.origin!.row.kind === 'product') continue
      if (product && rearrangement(value, unit) !== undefined) {
        ready.set(value, new Map([[unit, true]]))
        continue
      }
      if (!sameShape(value, unit)) continue
      const needs = unitsOf(value)
      if ([...needs].every(([need, pointwise]) => pointwise && ready.has(need))) ready.set(value, needs)
      if (ready.size === most) break
    }
    if (!product) {
      this.builder.emitValues([...ready.keys()])
      return
    }
    // A product takes along what is made of it, and what else that needs; then what else reads what it reads anyway, of copies also if nothing is made of it.
    const kept = new Set<Value>([unit])
    for (const [value, needs] of ready)
      if ([...needs.keys()].some((need) => need === unit || reaches(need, unit, ready))) kept.add(value)
    for (const value of [...kept].reverse()) for (const need of ready.get(value)!.keys()) kept.add(need)
    const read = new Set([...kept].flatMap(leavesOf))
    const finished = kept.size > 1
    for (const [value, needs] of ready) {
      const [source] = value.origin!.operands
      const copies = value.origin!.primitive === 'copy' && (read.has(source!) || kept.has(source!))
      const shares = finished && leavesOf(value).some((leaf) => read.has(leaf))
      if (copies || (shares && [...needs.keys()].every((need) => kept.has(need)))) kept.add(value)
    }
    const members = [...ready.keys()].filter((value) => kept.has(value))
    const covered = members.length > 1 && !unit.wanted
    this.builder.emitProduct(unit, covered ? members.filter((value) => value !== unit) : members)
  }
}

/** Whether a value's elements are at a place, or will be: those of an alias are where the value lies that it shares them with. */
const goesTo = (value: Value, place: Place): boolean =>
  value.place === place ||
  (value.place === undefined && (value.alias === undefined ? value.destination === place : goesTo(value.alias, place)))
/** What is read from memory to compute a value. */
const leavesOf = (value: Value): Value[] =>
  value.origin?.operands.flatMap((operand) => (operand.place === undefined ? leavesOf(operand) : [operand])) ?? []
/** Whether a value of a group is computed from another one. */
const reaches = (value: Value, unit: Value, ready: ReadonlyMap<Value, Needs>): boolean =>
  [...(ready.get(value)?.keys() ?? [])].some((need) => need === unit || reaches(need, unit, ready))
/** Whether a value that has no place is computed from another one. */
const dependsOn = (value: Value, on: Value): boolean =>
  value === on ||
  (value.place === undefined && (value.origin?.operands.some((operand) => dependsOn(operand, on)) ?? false))
const sameShape = (x: Value, y: Value): boolean =>
  x.aval.shape.length === y.aval.shape.length && x.aval.shape.every((size, axis) => size === y.aval.shape[axis])
/** The first unit to emit of those that a value needs: one that needs no other. */
function firstOf(value: Value): Value {
  const target = value.alias ?? value
  if (target !== value) return firstOf(target)
  const [unit] = unitsOf(value).keys()
  return unit === undefined ? value : firstOf(unit)
}
