/**
 * Scans that work element by element as loop nests: a point for each element, inside of it the loop over steps, carries as its locals. Nothing
 * but what is scanned and what is stacked moves through memory.
 */
import { type ClosedJaxpr, type Equation, type Literal, type ScanParams, Var, sizeOf } from '@fluxion/core'
import { assign, forLoop, gridOver, i32, local, scalarType, variable } from '../loops/build.ts'
import { flatIndex, indexAdd, indexMul, unflatten } from '../loops/indices.ts'
import { type Expr, Local, LoopVar, type Stmt } from '../loops/ir.ts'
import { walk } from '../loops/visit.ts'
import type { Place } from '../program/program.ts'
import type { Block } from './block.ts'
import { withoutCalls } from './calls.ts'
import type { MapRow } from './lowering.ts'
import { type PointGroup, pointGroups } from './scanPoints.ts'
import { isPointwise, rowOf } from './table.ts'
import { type Origin, Value } from './value.ts'

/** A scan as it is to be lowered: its operands, and where results go that are wanted. */
interface Scan {
  readonly block: Block
  readonly body: ClosedJaxpr
  readonly length: number
  readonly reverse: boolean
  readonly consts: readonly Value[]
  readonly init: readonly Value[]
  readonly xs: readonly Value[]
  readonly last: readonly (Place | undefined)[]
  readonly stacked: readonly (Place | undefined)[]
}

/** Lower a scan to one nest for each number of elements, if it works element by element; `false` if it does not. */
export function scanKernel(block: Block, { params, outputs }: Equation, operands: readonly Value[]): boolean {
  const { jaxpr, length, reverse, numConsts, numCarry } = params as ScanParams
  if (length === 0) return false
  const body = withoutCalls(jaxpr)
  const wanted = outputs.map((variable) => variable !== null)
  const groups = pointGroups(body.jaxpr, numConsts, numCarry, wanted)
  if (groups === undefined) return false
  const { builder } = block
  const inMemory = (value: Value): Value => (value.literal === undefined ? block.placed(value) : value)
  const init = operands.slice(numConsts, numConsts + numCarry)
  for (const value of init) block.demandUnits(value)
  const places = body.jaxpr.outputs.map(({ aval: { dtype, shape } }, i) => {
    if (outputs[i] === null) return undefined
    const whole = { dtype, shape: i < numCarry ? shape : [length, ...shape] }
    return block.destinationOf(outputs[i]!) ?? builder.placeFor(whole, builder.facts.of(outputs[i]!).zeroOne)
  })
  const scan: Scan = {
    block,
    body,
    length,
    reverse,
    consts: operands.slice(0, numConsts).map(inMemory),
    init,
    xs: operands.slice(numConsts + numCarry).map(inMemory),
    last: places.slice(0, numCarry),
    stacked: places.slice(numCarry),
  }
  for (const group of groups) emitGroup(scan, group)
  outputs.forEach((variable, i) => {
    if (variable !== null) block.define(variable, new Value(variable.aval, { place: places[i]! }))
  })
  return true
}

function emitGroup(scan: Scan, group: PointGroup): void {
  const { body, length, reverse, last, stacked, init } = scan
  const { builder } = scan.block
  const { outputs } = body.jaxpr
  const numCarry = init.length
  const [first] = [...group.own, ...group.stacked.map((i) => numCarry + i)]
  const { shape } = outputs[first!]!.aval
  const grid = gridOver(shape)
  const index = grid.map(variable)
  const turn = new LoopVar('t', length)
  const step = reverse ? indexAdd(length - 1, indexMul(variable(turn), -1)) : variable(turn)
  const locals = new Map(group.carries.map((i) => [i, new Local('c', scalarType(init[i]!.aval.dtype))]))
  /** Where a value's element lies that belongs to the point. */
  const at = (value: Value): readonly Expr[] => {
    const { shape: own } = value.aval
    if (sizeOf(own) === 1) return own.map(() => i32(0))
    return own.join() === shape.join() ? index : unflatten(flatIndex(index, shape), own)
  }
  const { before, inside, after } = builder.inKernels(() => {
    const values = valuesOf(scan, locals, step)
    const before = [...locals].map(([i, to]) => assign(to, builder.element(init[i]!, at(init[i]!))))
    const inside: Stmt[] = group.stacked.map((i) => {
      const value = values(numCarry + i)
      const out = builder.bufferAt(stacked[i]!, length * sizeOf(value.aval.shape), 'out')
      const coordinates = at(value)
      const place = flatIndex([step, ...coordinates], [length, ...value.aval.shape])
      return builder.stored(out, place, builder.element(value, coordinates))
    })
    const next = [...locals].map(([i, to]) => {
      const value = values(i)
      return { to, value: builder.element(value, at(value)) }
    })
    inside.push(...together(next))
    const after = group.own.map((i) => {
      const out = builder.bufferAt(last[i]!, sizeOf(init[i]!.aval.shape), 'out')
      return builder.stored(out, flatIndex(at(init[i]!), init[i]!.aval.shape), local(locals.get(i)!))
    })
    return { before, inside, after }
  })
  // Steps that need nothing of each other are points like others.
  if (group.carries.length === 0) builder.nest(nameOf(body), [turn, ...grid], inside)
  else builder.nest(nameOf(body), grid, [...before, forLoop(turn, inside), ...after])
}

/** The results of a step, as values of which a kernel takes the elements: `step` is the expression of the step's number. */
function valuesOf(scan: Scan, locals: ReadonlyMap<number, Local>, step: Expr): (result: number) => Value {
  const { body, consts, init, xs } = scan
  const { builder } = scan.block
  const { jaxpr } = body
  const values = new Map<Var, Value>()
  const define = (variable: Var, value: Value): void => {
    value.zeroOne ||= builder.facts.of(variable).zeroOne
    values.set(variable, value)
  }
  jaxpr.constants.forEach((variable, i) => define(variable, builder.capture(body.consts[i]!)))
  jaxpr.inputs.forEach((variable, i) => {
    const carry = i - consts.length
    const { aval } = variable
    if (carry < 0) define(variable, given(consts[i]!))
    else if (carry >= init.length) {
      const operands = [xs[carry - init.length]!]
      define(variable, new Value(aval, { origin: originOf('scanned', scanned(step), {}, operands, aval) }))
    } else if (locals.has(carry)) {
      const element = local(locals.get(carry)!)
      define(
        variable,
        new Value(aval, { origin: originOf('carried', { kind: 'map', at: () => element }, {}, [], aval) }),
      )
    }
  })
  const valueOf = (atom: Var | Literal): Value => {
    if (atom instanceof Var) return values.get(atom)!
    const value = new Value(atom.aval, { literal: atom.value })
    value.zeroOne = builder.facts.of(atom).zeroOne
    return value
  }
  for (const equation of jaxpr.equations) {
    const { primitive, params, inputs, outputs } = equation
    // What needs carries of other groups is not of this one.
    if (inputs.some((atom) => atom instanceof Var && !values.has(atom))) continue
    const outs =
      outputs.includes(null) === false
        ? outputs.map((variable) => variable!.aval)
        : primitive.type(
            inputs.map(({ aval }) => aval),
            params as never,
          )
    const operands = inputs.map(valueOf)
    outputs.forEach((variable, result) => {
      if (variable === null) return
      const row = rowOf(equation) as MapRow<never>
      const pointwise = isPointwise(equation)
      const origin = { primitive: primitive.name, row, params, operands, outs, result, pointwise }
      define(variable, new Value(variable.aval, { origin }))
    })
  }
  return (result) => valueOf(jaxpr.outputs[result]!)
}
/** A value of the body's own: facts of the body's variable are not those of the operand. */
const given = (value: Value): Value =>
  value.literal === undefined
    ? new Value(value.aval, { place: value.place! })
    : new Value(value.aval, { literal: value.literal })
const originOf = (
  primitive: string,
  row: MapRow<never>,
  params: object,
  operands: readonly Value[],
  out: Value['aval'],
): Origin => ({ primitive, row, params, operands, outs: [out], result: 0, pointwise: false })
/** A step's element of what is scanned. */
const scanned = (step: Expr): MapRow<never> => ({
  kind: 'map',
  at: ([xs], _params, _outs, index) => xs!.at([step, ...index]),
})

/** Assign all locals their values as they are before any of them is assigned: what another value reads later waits in a local of its own. */
function together(next: readonly { readonly to: Local; readonly value: Expr }[]): Stmt[] {
  const changed = next.filter(({ to, value }) => value.op !== 'local' || value.local !== to)
  const [computed, moved]: [Stmt[], Stmt[]] = [[], []]
  changed.forEach(({ to, value }, i) => {
    if (!changed.slice(i + 1).some((later) => reads(later.value, to))) {
      computed.push(assign(to, value))
      return
    }
    const waiting = new Local('n', to.type)
    computed.push(assign(waiting, value))
    moved.push(assign(to, local(waiting)))
  })
  return [...computed, ...moved]
}
function reads(x: Expr, of: Local): boolean {
  let found = false
  walk(x, (part) => void (part.op === 'local' && part.local === of && (found = true)), new Set())
  return found
}

/** A name that says what the scan does: its last operations. */
const nameOf = ({ jaxpr }: ClosedJaxpr): string =>
  ['scan', ...jaxpr.equations.slice(-3).map(({ primitive }) => primitive.name)].join('_').replaceAll('-', '_')
