/** Running folds of host arrays along an axis. */
import { type DType, isFloat } from '../../dtype.ts'
import { sizeOf } from '../../shape.ts'
import type { HostArray } from '../interface.ts'
import { allocate, roundTo } from './host.ts'

/** All folds of beginnings along `axis`, or of endings with `reverse`. Floats accumulate in float64, integers in their own dtype. */
export function accumulateHost(
  x: HostArray,
  axis: number,
  reverse: boolean,
  step: (accumulated: number, x: number) => number,
): HostArray {
  const length = x.shape[axis]!
  const inner = sizeOf(x.shape.slice(axis + 1))
  const data = allocate(x.dtype, x.data.length)
  const wrap = wrapped(x.dtype)
  const [first, stride] = reverse ? [(length - 1) * inner, -inner] : [0, inner]
  for (let row = 0; row < data.length; row += length * inner) {
    for (let column = 0; column < inner; column++) {
      let at = row + column + first
      let total = x.data[at]!
      data[at] = total
      for (let i = 1; i < length; i++) {
        at += stride
        total = wrap(step(total, x.data[at]!))
        data[at] = total
      }
    }
  }
  return { shape: x.shape, dtype: x.dtype, data: roundTo(x.dtype, data) }
}

/** What storing in the dtype makes of an intermediate result. */
function wrapped(dtype: DType): (value: number) => number {
  if (isFloat(dtype)) return (value) => value
  const cell = allocate(dtype, 1)
  return (value) => {
    cell[0] = value
    return cell[0]!
  }
}
