/**
 * Splits a nest's innermost loop in two where its body divides the variable by a constant: bits of bytes, repeated elements, reshaped ones.
 * Within the inner loop quotients are then the same in all lanes, and remainders count up.
 */
import {
  type Expr,
  indexAdd,
  indexMul,
  LoopVar,
  mapStatement,
  mentions,
  type Nest,
  substituting,
  variable,
  walkExpressions,
} from '@fluxion/compiler'
import { slowIn } from './plan.ts'

export interface Split {
  /** The nest with the loops `outer` and `inner` in place of its innermost one. */
  readonly nest: Nest
  readonly outer: LoopVar
  readonly inner: LoopVar
}
/** A nest with its innermost loop split, if then more of it can run in lanes. */
export function splitNest(nest: Nest): Split | undefined {
  const last = nest.grid.at(-1)
  if (last === undefined) return undefined
  const slow = slowIn(nest)
  const by = slow === 0 ? undefined : divisorIn(nest, last)
  if (by === undefined) return undefined
  const [outer, inner] = [new LoopVar(`${last.name}0`, last.extent / by), new LoopVar(`${last.name}1`, by)]
  const replace = substituting(new Map([[last, indexAdd(indexMul(variable(outer), by), variable(inner))]]))
  const body = nest.body.map((statement) => mapStatement(statement, replace))
  const made: Nest = { ...nest, grid: [...nest.grid.slice(0, -1), outer, inner], body }
  return slowIn(made) < slow ? { nest: made, outer, inner } : undefined
}
/** The least number of whole vectors by which the variable is divided, if it divides the extent. */
function divisorIn({ body }: Nest, v: LoopVar): number | undefined {
  let least: number | undefined
  const visit = (x: Expr): void => {
    if (x.op !== 'binary' || (x.fn !== 'floorDiv' && x.fn !== 'floorMod') || x.y.op !== 'const') return
    const by = x.y.value
    if (by < 8 || by % 4 !== 0 || v.extent % by !== 0 || !mentions(x.x, v)) return
    least = Math.min(by, least ?? by)
  }
  walkExpressions(body, visit)
  return least
}
