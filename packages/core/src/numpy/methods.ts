/** The methods of arrays: the functions of `np` under their short names, installed on `NDArray.prototype`. */
import { type ArrayLike, ConcreteArray, NDArray, type NestedNumbers } from '../array.ts'
import type { DType } from '../dtype.ts'
import { DeviceError } from '../errors.ts'
import { copy } from '../primitive/elementwise.ts'
import { cumprod, cumsum } from './cumulative.ts'
import { showArray } from './display.ts'
import { astype } from './info.ts'
import { all, any, argmax, argmin, max, min, prod, ptp, sum } from './reductions.ts'
import type { MovementMethods, MovementProperties } from './movementMethods.ts'
import { mean, std, variance } from './statistics.ts'
import type {
  ArgOptions,
  AxisOptions,
  CumulativeOptions,
  ExtremeOptions,
  MaskedOptions,
  MeanOptions,
  ReduceOptions,
  VarOptions,
} from './types.ts'
import {
  absolute,
  add,
  conjugate,
  divide,
  floorDivide,
  multiply,
  negative,
  remainder,
  subtract,
} from './ufuncs/arithmetic.ts'
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from './ufuncs/comparison.ts'
import { power } from './ufuncs/exponential.ts'
import { bitwiseAnd, bitwiseNot, bitwiseOr, bitwiseXor, leftShift, rightShift } from './ufuncs/integers.ts'
import { round } from './ufuncs/rounding.ts'
import { clip } from './ufuncs/selection.ts'

/** Operators under one short name each. */
export interface OperatorMethods {
  add(y: ArrayLike): NDArray
  sub(y: ArrayLike): NDArray
  mul(y: ArrayLike): NDArray
  div(y: ArrayLike): NDArray
  floorDiv(y: ArrayLike): NDArray
  mod(y: ArrayLike): NDArray
  pow(y: ArrayLike): NDArray
  neg(): NDArray
  abs(): NDArray
  eq(y: ArrayLike): NDArray
  ne(y: ArrayLike): NDArray
  lt(y: ArrayLike): NDArray
  le(y: ArrayLike): NDArray
  gt(y: ArrayLike): NDArray
  ge(y: ArrayLike): NDArray
  and(y: ArrayLike): NDArray
  or(y: ArrayLike): NDArray
  xor(y: ArrayLike): NDArray
  not(): NDArray
  shl(y: ArrayLike): NDArray
  shr(y: ArrayLike): NDArray
}

/** Reductions, and functions that keep the shape. */
export interface ReductionMethods {
  sum(options?: ReduceOptions): NDArray
  prod(options?: ReduceOptions): NDArray
  mean(options?: MeanOptions): NDArray
  var(options?: VarOptions): NDArray
  std(options?: VarOptions): NDArray
  max(options?: ExtremeOptions): NDArray
  min(options?: ExtremeOptions): NDArray
  ptp(options?: AxisOptions): NDArray
  all(options?: MaskedOptions): NDArray
  any(options?: MaskedOptions): NDArray
  argmax(options?: ArgOptions): NDArray
  argmin(options?: ArgOptions): NDArray
  cumsum(options?: CumulativeOptions): NDArray
  cumprod(options?: CumulativeOptions): NDArray
  round(options?: { decimals?: number }): NDArray
  clip(min?: ArrayLike | null, max?: ArrayLike | null): NDArray
  astype(dtype: DType): NDArray
  conj(): NDArray
  copy(): NDArray
}

export interface ArrayMethods extends OperatorMethods, ReductionMethods, MovementMethods, MovementProperties {
  /** Elements as nested lists of numbers. */
  toArray(): NestedNumbers
  toString(): string
}

/** For every method the function that does it, of the array and the method's arguments. */
export type MethodTable<M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer A extends readonly unknown[]) => infer R
    ? (x: NDArray, ...args: A) => R
    : never
}

/** Put methods on all arrays. */
export function installMethods<M>(table: MethodTable<M>): void {
  for (const [name, f] of Object.entries(table) as [string, (x: NDArray, ...args: unknown[]) => unknown][]) {
    define(name, {
      value(this: NDArray, ...args: unknown[]): unknown {
        return f(this, ...args)
      },
      writable: true,
    })
  }
}
/** Put properties on all arrays that are computed when they are read. */
export function installGetters(table: Readonly<Record<string, (x: NDArray) => unknown>>): void {
  for (const [name, f] of Object.entries(table)) {
    define(name, {
      get(this: NDArray): unknown {
        return f(this)
      },
    })
  }
}
const define = (name: string | symbol, descriptor: PropertyDescriptor): void => {
  Object.defineProperty(NDArray.prototype, name, { ...descriptor, configurable: true })
}

installMethods<OperatorMethods>({
  add,
  sub: subtract,
  mul: multiply,
  div: divide,
  floorDiv: floorDivide,
  mod: remainder,
  pow: power,
  neg: negative,
  abs: absolute,
  eq: equal,
  ne: notEqual,
  lt: less,
  le: lessEqual,
  gt: greater,
  ge: greaterEqual,
  and: bitwiseAnd,
  or: bitwiseOr,
  xor: bitwiseXor,
  not: bitwiseNot,
  shl: leftShift,
  shr: rightShift,
})

installMethods<ReductionMethods>({
  sum,
  prod,
  mean,
  var: variance,
  std,
  max,
  min,
  ptp,
  all,
  any,
  argmax,
  argmin,
  cumsum,
  cumprod,
  round,
  clip,
  astype,
  conj: conjugate,
  copy,
})

/** An array as text; without its elements where they cannot be read at once. */
function textOf(x: NDArray): string {
  if (!(x instanceof ConcreteArray)) return `Array<${x.dtype}[${x.shape.join(',')}]>`
  try {
    return showArray(x.host.data, x.aval)
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error
    return `Array(shape=(${x.shape.join(', ')}${x.ndim === 1 ? ',' : ''}), dtype=${x.dtype})`
  }
}
installMethods<Pick<ArrayMethods, 'toArray' | 'toString'>>({
  toArray: (x) => x.toJSON(),
  toString: textOf,
})
// what console.log shows in Node, of tracers too
define(Symbol.for('nodejs.util.inspect.custom'), {
  value(this: NDArray): string {
    return this.toString()
  },
})
