/** Changes of dtype: floats to integers saturate and NaN becomes 0, integers wrap, floats round to nearest even. */
import { type DType, dtypes, isFloat } from '@fluxion/core'
import { bitcast, convert, isNarrow, max, min, narrow, scalarType } from '../../../loops/build.ts'
import type { Expr } from '../../../loops/ir.ts'
import type { MapRow, Rows } from '../../lowering.ts'
import { elementOf, numberOf, unaryRow } from '../elements.ts'

/** Whether every number of `from` is one of `to`. */
function fits(from: DType, to: DType): boolean {
  const [a, b] = [dtypes[from], dtypes[to]]
  if (isFloat(from)) return b.eps <= a.eps && b.max >= a.max
  // floats have all whole numbers up to 2/eps
  const [low, high] = isFloat(to) ? [-Math.min(2 / b.eps, b.max), Math.min(2 / b.eps, b.max)] : [b.min, b.max]
  return low <= a.min && a.max <= high
}

/** `x`, a value of dtype `from`, as one of dtype `to`. */
export function converted(x: Expr, from: DType, to: DType): Expr {
  if (from === to) return x
  const type = scalarType(to)
  if (to === 'bool' || from === 'bool') return convert(type, x)
  if (isFloat(from) && !isFloat(to)) {
    const whole = convert(type, x)
    return isNarrow(to) ? min(max(whole, numberOf(to, dtypes[to].min)), numberOf(to, dtypes[to].max)) : whole
  }
  const wide = isFloat(to) ? convert(type, x) : bitcast(type as 'i32' | 'u32', x)
  return fits(from, to) ? wide : narrow(to, wide)
}

interface ConvertParams {
  readonly newDtype: DType
}
const convertRow: MapRow<ConvertParams> = {
  kind: 'map',
  at: ([x], { newDtype }, outs, index) => converted(elementOf(x!, index), x!.aval.dtype, newDtype),
}
const same: MapRow<object> = unaryRow((x) => x)

export const convertRows: Rows = { convert_element_type: convertRow, copy: same, stop_gradient: same, name: same }
