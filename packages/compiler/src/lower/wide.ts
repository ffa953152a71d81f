/**
 * Half floats that a loop multiplies by at every step, as its weights: a CPU converts them once before the loop, into the order in which
 * the product reads them.
 */
import { type ClosedJaxpr, type Equation, bytesOf, sizeOf } from '@fluxion/core'
import { load, store, variable } from '../loops/build.ts'
import { flatIndex } from '../loops/indices.ts'
import { LoopVar } from '../loops/ir.ts'
import type { Builder } from './builder.ts'
import { readingOrders } from './rows/dot.ts'
import { Value } from './value.ts'

/** A copy may take so many bytes. */
const most = 8 * 2 ** 20

/** Give constants of a loop the copies that products in its body read. */
export function widenFactors(builder: Builder, { jaxpr }: ClosedJaxpr, consts: readonly Value[]): void {
  if (builder.target.parallel) return
  for (const equation of jaxpr.equations) {
    if (equation.primitive.name !== 'dot_general') continue
    const orders = readingOrders(equation.params, equation.inputs)
    equation.inputs.forEach((atom, side) => {
      const value = consts[jaxpr.inputs.indexOf(atom as Equation['outputs'][number] & object)]
      if (value !== undefined && isHalf(value)) widen(builder, value, orders[side]!)
    })
  }
}
const isHalf = ({ aval: { dtype, shape }, literal }: Value): boolean =>
  literal === undefined && (dtype === 'float16' || dtype === 'bfloat16') && sizeOf(shape) * bytesOf('float32') <= most

function widen(builder: Builder, value: Value, axes: readonly number[]): void {
  if (value.wide.some((copy) => copy.axes.join() === axes.join())) return
  const { shape, dtype } = value.aval
  // Truth values are not converted where they are read: they select.
  if (value.place!.slot.dtype === 'bool') return
  const inOrder = axes.every((axis, i) => axis === i)
  if (inOrder && value.place!.slot.dtype === 'float32') return
  const grid = axes.map((axis, i) => new LoopVar('ijklmn'[i] ?? `i${i}`, shape[axis]!))
  const order = grid.map(({ extent }) => extent)
  const place = builder.temporary({ dtype: 'float32', shape: order })
  const index = shape.map((_, axis) => variable(grid[axes.indexOf(axis)]!))
  const element = load(builder.bufferOf(value), flatIndex(index, shape))
  const out = builder.bufferAt(place, sizeOf(order), 'out')
  builder.nest('widen', grid, [store(out, flatIndex(grid.map(variable), order), element)])
  value.wide.push({ axes, value: new Value({ shape: order, dtype, weakType: false }, { place }) })
}
