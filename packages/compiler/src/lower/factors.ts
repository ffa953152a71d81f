/**
 * Constants of a loop that its products multiply by at every step, as its weights: what a CPU prepares of them once before the loop. Half floats are converted, and
 * what lies in another order is brought into the one in which the product reads it; and where the other operand is 0 or 1, so that most of the products need not be
 * computed if all numbers are finite, that is found out.
 */
import { type ClosedJaxpr, type Equation, type ScanParams, bytesOf, isFloat, sizeOf } from '@fluxion/core'
import { constant, convert, eq, load, local, mul, scalarType, store, variable } from '../loops/build.ts'
import { flatIndex } from '../loops/indices.ts'
import { Local, LoopVar } from '../loops/ir.ts'
import type { Builder } from './builder.ts'
import { readingOrders } from './rows/dot.ts'
import { Value } from './value.ts'

/** A copy may take so many bytes. */
const most = 8 * 2 ** 20

/** A constant as a value of a loop's body: with what is prepared here, which may be missing elsewhere, and what was before. */
export function ownConstant(value: Value): Value {
  const own = new Value(value.aval, { place: value.place! })
  own.wide.push(...value.wide)
  own.finite = value.finite
  return own
}

/** Prepare constants of a loop, given the program of its body, for its products and those of loops in it. */
export function prepareFactors(builder: Builder, { jaxpr }: ClosedJaxpr, consts: readonly Value[]): void {
  if (builder.target.parallel) return
  const known = new Map<unknown, Value>(consts.map((value, i) => [jaxpr.inputs[i]!, value]))
  for (const equation of jaxpr.equations) {
    const { primitive, params, inputs } = equation
    if (primitive.name === 'dot_general') prepare(builder, equation, known)
    if (primitive.name !== 'scan') continue
    const inner = params as ScanParams
    const given = inputs.slice(0, inner.numConsts).map((atom) => known.get(atom) ?? new Value(atom.aval, {}))
    prepareFactors(builder, inner.jaxpr, given)
  }
}
function prepare(builder: Builder, { params, inputs }: Equation, known: ReadonlyMap<unknown, Value>): void {
  const orders = readingOrders(params, inputs)
  inputs.forEach((atom, side) => {
    const value = known.get(atom)
    if (value?.place === undefined || !isFloat(value.aval.dtype)) return
    arrange(builder, value, orders[side]!)
    const selects = builder.facts.of(inputs[1 - side]!).zeroOne
    if (selects && !builder.facts.of(atom).zeroOne) value.finite ??= finiteOf(builder, value)
  })
}

/** A copy as f32 in the order of the axes in which a product reads them. */
function arrange(builder: Builder, value: Value, axes: readonly number[]): void {
  const { shape, dtype } = value.aval
  if (dtype === 'float64' || sizeOf(shape) * bytesOf('float32') > most) return
  if (value.wide.some((copy) => copy.axes.join() === axes.join())) return
  // Truth values are not converted where they are read: they select.
  const { dtype: stored } = value.place!.slot
  if (stored === 'bool') return
  if (stored === 'float32' && axes.every((axis, i) => axis === i)) return
  const grid = axes.map((axis, i) => new LoopVar('ijklmn'[i] ?? `i${i}`, shape[axis]!))
  const order = grid.map(({ extent }) => extent)
  const place = builder.temporary({ dtype: 'float32', shape: order })
  const index = shape.map((_, axis) => variable(grid[axes.indexOf(axis)]!))
  const element = load(builder.bufferOf(value), flatIndex(index, shape))
  const out = builder.bufferAt(place, sizeOf(order), 'out')
  builder.nest('arrange', grid, [store(out, flatIndex(grid.map(variable), order), element)])
  value.wide.push({ axes, value: new Value({ shape: order, dtype, weakType: false }, { place }) })
}
/** Whether all elements are finite: times 0 they are all 0, and so is their sum. */
function finiteOf(builder: Builder, value: Value): Value {
  const type = scalarType(value.aval.dtype)
  const aval = { shape: [], dtype: 'bool', weakType: false } as const
  const place = builder.temporary(aval)
  const each = new LoopVar('r', sizeOf(value.aval.shape))
  const [total, zero] = [new Local('total', type), constant(type, 0)]
  const element = mul(convert(type, load(builder.bufferOf(value), variable(each))), zero)
  builder.nest(
    'finite',
    [],
    [
      { op: 'reduce', variables: [each], accumulators: [{ into: total, combine: 'add', value: element }] },
      store(builder.bufferAt(place, 1, 'out'), constant('i32', 0), eq(local(total), zero)),
    ],
  )
  return new Value(aval, { place })
}
