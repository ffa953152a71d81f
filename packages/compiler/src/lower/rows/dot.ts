/** The general product: axes contracted, shared, or of one operand alone, as loops over them. */
import type { Aval, DType } from '@fluxion/core'
import { variable } from '../../loops/build.ts'
import { type Expr, LoopVar } from '../../loops/ir.ts'
import type { Operand, ProductRow, Rows } from '../lowering.ts'
import { converted } from './elementwise/convert.ts'

type Axes = readonly number[]
interface DotParams {
  readonly dimensionNumbers: readonly [contracted: readonly [Axes, Axes], batch: readonly [Axes, Axes]]
}

/** The order in which a product reads the axes of each operand best: rows of the left one, and of the right one by what is contracted. */
export function readingOrders(params: object, operands: readonly { readonly aval: Aval }[]): Axes[] {
  const { dimensionNumbers } = params as DotParams
  const [contracted, batch] = dimensionNumbers
  return operands.map(({ aval }, side) => {
    const [inner, shared] = [contracted[side]!, batch[side]!]
    const kept = aval.shape.map((_, axis) => axis).filter((axis) => !inner.includes(axis) && !shared.includes(axis))
    return side === 0 ? [...shared, ...kept, ...inner] : [...shared, ...inner, ...kept]
  })
}

/** A factor's element, in the machine type of the sum. A half is an f32 as it is, whose product is only rounded at the end. */
export function factor(x: Expr, from: DType, to: DType): Expr {
  const half = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16'
  return half(from) && half(to) ? x : converted(x, from, to === 'float16' || to === 'bfloat16' ? 'float32' : to)
}

/** Which of two operands are 0 or 1 everywhere. */
function zeroOneOf(left: Operand, right: Operand): 'left' | 'right' | 'both' | undefined {
  if (left.zeroOne !== true) return right.zeroOne === true ? 'right' : undefined
  return right.zeroOne === true ? 'both' : 'left'
}

const dotGeneral: ProductRow<DotParams> = {
  kind: 'product',
  loops([lhs, rhs], { dimensionNumbers: [contracted, shared] }, [out]) {
    const loopsOver = (name: string, x: Operand, axes: Axes): LoopVar[] =>
      axes.map((axis, i) => new LoopVar(`${name}${axes.length > 1 ? i : ''}`, x.aval.shape[axis]!))
    const keptOf = (x: Operand, side: 0 | 1): number[] =>
      x.aval.shape
        .map((_, axis) => axis)
        .filter((axis) => !contracted[side].includes(axis) && !shared[side].includes(axis))
    const [leftKept, rightKept] = [keptOf(lhs!, 0), keptOf(rhs!, 1)]
    const batch = loopsOver('b', lhs!, shared[0])
    const rows = loopsOver('m', lhs!, leftKept)
    const columns = loopsOver('n', rhs!, rightKept)
    const inner = loopsOver('k', lhs!, contracted[0])
    const element = (x: Operand, side: 0 | 1, kept: Axes, own: readonly LoopVar[]): Expr => {
      const index = x.aval.shape.map((_, axis) => {
        const [b, k] = [shared[side].indexOf(axis), contracted[side].indexOf(axis)]
        return variable(b >= 0 ? batch[b]! : k >= 0 ? inner[k]! : own[kept.indexOf(axis)]!)
      })
      return factor(x.at(index), x.aval.dtype, out!.dtype)
    }
    return {
      batch,
      rows,
      columns,
      inner,
      left: element(lhs!, 0, leftKept, rows),
      right: element(rhs!, 1, rightKept, columns),
      zeroOne: zeroOneOf(lhs!, rhs!),
      index: [...batch, ...rows, ...columns].map(variable),
    }
  },
}

export const dotRows: Rows = { dot_general: dotGeneral }
