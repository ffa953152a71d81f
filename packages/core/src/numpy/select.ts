/** Choosing between arrays, for the functions of this folder. */
import type { NDArray } from '../array.ts'
import { selectN } from '../primitive/elementwise.ts'
import { scalarLike } from '../primitive/rules.ts'
import { broadcastShapes } from '../shape.ts'
import { broadcastTo, promoteDtypes } from './promote.ts'

/** `x` where the condition holds, else `y`: of one dtype already, broadcast here; a number stands for a scalar of the other's type. */
export function choose(condition: NDArray, x: NDArray | number, y: NDArray | number): NDArray {
  const like = x as NDArray
  const a = typeof x === 'number' ? scalarLike(y as NDArray, x) : x
  const b = typeof y === 'number' ? scalarLike(like, y) : y
  const [p, q] = promoteDtypes('where', a, b) as [NDArray, NDArray]
  const shape = broadcastShapes('where', condition.shape, p.shape, q.shape)
  const which = condition.ndim === 0 ? condition : broadcastTo(condition, shape)
  return selectN(which, broadcastTo(q, shape), broadcastTo(p, shape))
}
