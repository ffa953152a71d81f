/** Functions that JavaScript computes: all of them in float64; in narrower floats those that have no code of their own in `math/`. */
import { dtypes, isFloat, scalarFunctions } from '@fluxion/core'
import { convert, narrow } from '../../../loops/build.ts'
import type { Expr } from '../../../loops/ir.ts'
import type { MapRow, Rows } from '../../lowering.ts'
import { elementOf } from '../elements.ts'
import { wholePower } from './power.ts'

/** A function of float64s, of elements of any float: rounded once, to the dtype. */
export const hostRow = (fn: string): MapRow<object> => ({
  kind: 'map',
  at(operands, _, [out], index) {
    const args = operands.map((operand) => convert('f64', elementOf(operand, index)))
    const result: Expr = { op: 'host', type: 'f64', fn, args }
    return dtypes[out!.dtype].bits === 64 ? result : narrow(out!.dtype, convert('f32', result))
  },
})
const pow: MapRow<object> = {
  kind: 'map',
  at(operands, params, outs, index, result, target) {
    const [x, y] = operands
    const { dtype } = x!.aval
    if (isFloat(dtype)) return hostRow('pow').at(operands, params, outs, index, result, target)
    return wholePower(elementOf(x!, index), elementOf(y!, index), dtype)
  },
}
export const hostMathRows: Rows = {
  ...Object.fromEntries(Object.keys(scalarFunctions).map((name) => [name, hostRow(name)])),
  pow,
}
