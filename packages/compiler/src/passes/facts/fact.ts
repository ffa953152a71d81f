/** What can be known of a value without running: whether it is 0 or 1 everywhere, equal everywhere, and between which integers. */
import { type Aval, type DType, type Literal, dtypes, isFloat } from '@fluxion/core'

export interface Fact {
  /** Every element is 0 or 1; of floats, +0 or 1. */
  readonly zeroOne: boolean
  /** All elements are equal. */
  readonly constant: boolean
  /** Bounds of every element, for integers and bools. */
  readonly range: Range | undefined
}
export type Range = readonly [low: number, high: number]

export const limitsOf = (dtype: DType): Range | undefined =>
  dtype === 'bool' ? [0, 1] : isFloat(dtype) ? undefined : [dtypes[dtype].min, dtypes[dtype].max]

/** A fact in its one form: ranges within those of the dtype; 0 or 1 and a range within them mean each other for integers. */
export function fact({ shape, dtype }: Aval, known: Partial<Fact>): Fact {
  const limits = limitsOf(dtype)
  const constant = known.constant === true || shape.every((dim) => dim === 1)
  if (limits === undefined) return { zeroOne: known.zeroOne === true, constant, range: undefined }
  const given = known.zeroOne === true ? meet(known.range ?? limits, [0, 1]) : (known.range ?? limits)
  // What does not fit wraps around, and may be anything.
  const range: Range = given[0] >= limits[0] && given[1] <= limits[1] ? given : limits
  return { zeroOne: range[0] >= 0 && range[1] <= 1, constant, range }
}
const meet = (a: Range, b: Range): Range => [Math.max(a[0], b[0]), Math.min(a[1], b[1])]
export const unknown = (aval: Aval): Fact => fact(aval, {})

export function factOfNumber({ value, aval }: Literal): Fact {
  const whole = Number.isInteger(value)
  return fact(aval, {
    zeroOne: Object.is(value, 0) || value === 1,
    constant: true,
    ...(whole && !isFloat(aval.dtype) && { range: [value, value] as const }),
  })
}

/** What holds of a value that is one of two. */
export const join = (aval: Aval, a: Fact, b: Fact): Fact =>
  fact(aval, {
    zeroOne: a.zeroOne && b.zeroOne,
    constant: false,
    ...(a.range && b.range && { range: [Math.min(a.range[0], b.range[0]), Math.max(a.range[1], b.range[1])] as const }),
  })
/** The same for a whole value that is one of two, not element by element. */
export const joinWhole = (aval: Aval, a: Fact, b: Fact): Fact => ({
  ...join(aval, a, b),
  constant: a.constant && b.constant,
})
export const sameFact = (a: Fact, b: Fact): boolean =>
  a.zeroOne === b.zeroOne && a.constant === b.constant && a.range?.[0] === b.range?.[0] && a.range?.[1] === b.range?.[1]
