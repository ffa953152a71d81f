/** Values while a program is lowered: what has a place in memory, and what is known only by the expression of its elements. */
import type { Aval } from '@fluxion/core'
import type { Place } from '../program/program.ts'
import type { MapRow, ProductRow, ReduceRow } from './lowering.ts'

/** How a value is computed from others: by fusing its row into the kernel that wants it. */
export interface Origin {
  readonly primitive: string
  readonly row: MapRow<never> | ReduceRow<never> | ProductRow<never>
  readonly params: object
  readonly operands: readonly Value[]
  readonly outs: readonly Aval[]
  readonly result: number
  /** Each element depends on the operands' elements at the same coordinates alone, but for operands of rank 0. */
  readonly pointwise: boolean
}

export class Value {
  readonly aval: Aval
  /** The number in a literal of the program. */
  readonly literal: number | undefined
  readonly origin: Origin | undefined
  /** The value whose elements, in the same order, are this one's too. */
  readonly alias: Value | undefined
  #place: Place | undefined
  /** Whether it is to be in memory, and where if that is not free. */
  wanted = false
  destination: Place | undefined
  /** Whether every element is known to be 0 or 1. */
  zeroOne = false
  /** Copies for products to read: half floats as f32, axes in the order that the product runs through them. */
  readonly wide: { readonly axes: readonly number[]; readonly value: Value }[] = []
  /** Whether all elements are finite, as a bool in memory, where products in a loop want to know. */
  finite: Value | undefined

  constructor(aval: Aval, from: { literal?: number; origin?: Origin; alias?: Value | undefined; place?: Place }) {
    this.aval = aval
    this.literal = from.literal
    this.origin = from.origin
    this.alias = from.alias
    this.#place = from.place
  }
  /** Where its elements are, row-major, once they are in memory. */
  get place(): Place | undefined {
    return this.#place ?? this.alias?.place
  }
  set place(place: Place | undefined) {
    this.#place = place
  }
  /** Take a place for an alias' sake, if there is still a choice. */
  offer(place: Place | undefined): void {
    if (this.alias !== undefined) this.alias.offer(place)
    else if (this.place === undefined && this.wanted) this.destination ??= place
  }
  /** A unit is computed once, by a kernel that is emitted for it; anything else is recomputed wherever it is fused. */
  get isUnit(): boolean {
    return this.place === undefined && this.alias === undefined && (this.wanted || this.origin?.row.kind === 'product')
  }
}

/** A unit that a value needs, and whether all operations on the way to it are pointwise. */
export type Needs = ReadonlyMap<Value, boolean>

/** The units that a value depends on through values that are fused, itself aside. */
export function unitsOf(value: Value): Needs {
  const found = new Map<Value, boolean>()
  const seen = new Map<Value, boolean>()
  const walk = (at: Value, pointwise: boolean): void => {
    for (const operand of at.origin?.operands ?? []) {
      if (operand.place !== undefined || operand.literal !== undefined) continue
      const path = pointwise && at.origin!.pointwise && operand.aval.shape.length === at.aval.shape.length
      if (operand.isUnit) {
        found.set(operand, path && (found.get(operand) ?? true))
        continue
      }
      if (seen.get(operand) === true || seen.get(operand) === path) continue
      // Reached by a path that is not pointwise: everything behind it is to be marked so.
      seen.set(operand, !path)
      walk(operand, path)
    }
  }
  walk(value, true)
  return found
}
