/** What rows of several families share: elements of operands that may be scalars, numbers of a dtype, the bits of integers. */
import { type DType, dtypes } from '@fluxion/core'
import { and, bitcast, constant, narrow, scalarType, u32 } from '../../loops/build.ts'
import type { Const, Expr } from '../../loops/ir.ts'
import type { MapRow, Operand } from '../lowering.ts'

/** The element that belongs to `index` of an elementwise result: a scalar goes with every one. */
export const elementOf = ({ aval, at }: Operand, index: readonly Expr[]): Expr =>
  at(aval.shape.length === 0 ? [] : index)
/** A number that the dtype can hold. */
export const numberOf = (dtype: DType, value: number): Const => constant(scalarType(dtype), value)

/** An operation on one operand, given its element and its dtype. */
export const unaryRow = (f: (x: Expr, dtype: DType) => Expr): MapRow<object> => ({
  kind: 'map',
  at: ([x], _, outs, index) => f(elementOf(x!, index), x!.aval.dtype),
})
/** An operation on two operands of one dtype. */
export const binaryRow = (f: (x: Expr, y: Expr, dtype: DType) => Expr): MapRow<object> => ({
  kind: 'map',
  at: ([x, y], _, outs, index) => f(elementOf(x!, index), elementOf(y!, index), x!.aval.dtype),
})

/** The bits of an integer of any dtype as an unsigned number, with zeros above its width. */
export function bitsOfInteger(x: Expr, dtype: DType): Expr {
  const word = bitcast('u32', x)
  return x.type === 'u32' || dtypes[dtype].bits === 32 ? word : and(word, u32(2 ** dtypes[dtype].bits - 1))
}
/** The integer of a dtype that has these bits; bits above its width fall away. */
export const integerOfBits = (word: Expr, dtype: DType): Expr =>
  narrow(dtype, bitcast(scalarType(dtype) as 'i32' | 'u32', word))
