/** All lowerings, and what fusion must know of them. */
import { type Equation, sizeOf } from '@fluxion/core'
import type { MapRow, Row, Rows } from './lowering.ts'
import { bitsRows } from './rows/unpackbits.ts'
import { convRows } from './rows/conv.ts'
import { convertRows } from './rows/elementwise/convert.ts'
import { convertBitsRows } from './rows/elementwise/representation.ts'
import { cumulativeRows } from './rows/cumulative.ts'
import { dotRows } from './rows/dot.ts'
import { elementwiseRows } from './rows/elementwise/arithmetic.ts'
import { neighbourRows } from './rows/elementwise/nextafter.ts'
import { remainderRows } from './rows/elementwise/remainder.ts'
import { rootRows } from './rows/elementwise/roots.ts'
import { gatherRows } from './rows/gather.ts'
import { hostMathRows } from './rows/elementwise/host.ts'
import { indexingRows } from './rows/indexing.ts'
import { linalgRows } from './rows/linalg/linalg.ts'
import { mathRows } from './rows/elementwise/math.ts'
import { movementRows } from './rows/movement.ts'
import { randomRows } from './rows/random.ts'
import { reduceRows } from './rows/reduce.ts'
import { scatterRows } from './rows/scatter.ts'
import { concatenateByParts, slicingRows } from './rows/slicing.ts'
import { sortRows } from './rows/sort/sort.ts'
import { windowRows } from './rows/window.ts'

/** Operations whose elements depend on operands' elements at the same coordinates. */
const pointwise: Rows = {
  ...hostMathRows,
  ...mathRows,
  ...elementwiseRows,
  ...rootRows,
  ...remainderRows,
  ...neighbourRows,
  ...convertRows,
  ...convertBitsRows,
}
/** The row of an operation that works element by element, which lowering itself uses. */
export const pointwiseRow = (name: string): MapRow<never> => pointwise[name] as MapRow<never>
/** The row of `copy`, which lowering itself uses. */
export const copyRow = convertRows['copy'] as MapRow<never>
/** Operations that only move elements. */
const moving: Rows = { ...movementRows, ...slicingRows, ...indexingRows, ...gatherRows }
const rows: Rows = {
  ...pointwise,
  ...moving,
  ...convertBitsRows,
  ...bitsRows,
  ...randomRows,
  ...reduceRows,
  ...dotRows,
  ...convRows,
  ...scatterRows,
  ...cumulativeRows,
  ...linalgRows,
  ...sortRows,
  ...windowRows,
}

/** Up to so many elements a concatenation is a choice for each element, fused into its consumer. */
const few = 16
export function rowOf({ primitive: { name }, outputs }: Equation): Row | undefined {
  if (name === 'concatenate' && sizeOf(outputs[0]?.aval.shape ?? []) > few) return concatenateByParts as Row
  return Object.hasOwn(rows, name) ? rows[name] : undefined
}

/** Whether this operation is one, but for operands of rank 0. */
export const isPointwise = ({ primitive, inputs, outputs }: Equation): boolean =>
  Object.hasOwn(pointwise, primitive.name) &&
  inputs.every(({ aval: { shape } }) => {
    const out = outputs.find((variable) => variable !== null)?.aval.shape
    return shape.length === 0 || (shape.length === out?.length && shape.every((size, axis) => size === out[axis]))
  })

/** Whether the result has the operand's elements in the operand's order: it needs no memory of its own beside an operand that has some. */
export function isAlias({ primitive: { name }, inputs: [x], outputs: [out] }: Equation): boolean {
  if (name === 'reshape' || name === 'squeeze' || name === 'copy' || name === 'stop_gradient' || name === 'name')
    return true
  // Axes of size 1 added, or moved.
  if (name === 'broadcast_in_dim') return sizeOf(x!.aval.shape) === sizeOf(out?.aval.shape ?? [])
  if (name !== 'transpose' || out === null || out === undefined) return false
  const wide = (shape: readonly number[]): string => shape.filter((dim) => dim !== 1).join()
  return x!.aval.shape.filter((dim) => dim !== 1).length <= 1 && wide(x!.aval.shape) === wide(out.aval.shape)
}

/** What an element costs, in arithmetic operations; moving elements costs nothing, 1 is what is not listed. */
const weights: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.keys(moving).map((name) => [name, 0])),
  ...Object.fromEntries(Object.keys(hostMathRows).map((name) => [name, 12])),
  random_bits: 100,
  random_split: 100,
  random_fold_in: 100,
}
export const weightOf = (primitive: string): number => weights[primitive] ?? 1
