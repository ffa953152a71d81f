/** All lowerings, and what fusion must know of them. */
import type { Equation } from '@fluxion/core'
import type { Row, Rows } from './lowering.ts'
import { convertRows } from './rows/convert.ts'
import { elementwiseRows } from './rows/elementwise.ts'
import { movementRows } from './rows/movement.ts'

/** Operations whose elements depend on operands' elements at the same coordinates. */
const pointwise: Rows = { ...elementwiseRows, ...convertRows }
const rows: Rows = { ...pointwise, ...movementRows }

export const rowOf = (primitive: string): Row | undefined =>
  Object.hasOwn(rows, primitive) ? rows[primitive] : undefined

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
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
  // Axes of size 1 added, or moved.
  if (name === 'broadcast_in_dim') return size(x!.aval.shape) === size(out?.aval.shape ?? [])
  if (name !== 'transpose' || out === null || out === undefined) return false
  const wide = (shape: readonly number[]): string => shape.filter((dim) => dim !== 1).join()
  return x!.aval.shape.filter((dim) => dim !== 1).length <= 1 && wide(x!.aval.shape) === wide(out.aval.shape)
}

/** What an element costs, in arithmetic operations; moving elements costs nothing, 1 is what is not listed. */
const weights: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.keys(movementRows).map((name) => [name, 0])),
  ...Object.fromEntries(Object.keys(convertRows).map((name) => [name, 1])),
}
export const weightOf = (primitive: string): number => weights[primitive] ?? 1
