/**
 * Tiles of nests that read across memory, as transpositions do: neighbours of the innermost loop lie lines of the cache apart, so that each line is
 * fetched again in every turn of the loop that runs along it, unless that loop comes back to it soon.
 */
import {
  type Expr,
  indexAdd,
  indexMul,
  linearIn,
  LoopVar,
  mapStatement,
  type Nest,
  substituting,
  variable,
  walkExpressions,
} from '@fluxion/compiler'
import { bytesOf } from '@fluxion/core'

/** Bytes of a line, and as many turns of each of the two loops as make a tile. */
const lineBytes = 64
export const tileLines = 64
const tileColumns = 16
/** Of fewer lines hardly any is fetched again. */
const fewestLines = 8
/** What fits the first cache anyway needs no tiles. */
const leastBytes = 2 ** 15

export interface Tiling {
  /** The loop that runs along lines. */
  readonly line: LoopVar
  /** What the innermost loop is split into, the nest with these in its place, and where what is left over of it begins. */
  readonly outer: LoopVar
  readonly inner: LoopVar
  readonly tiled: Nest
  readonly rest: number
}
export function tilingOf(nest: Nest): Tiling | undefined {
  const { grid, body } = nest
  const column = grid.at(-1)
  if (column === undefined || column.extent < tileColumns) return undefined
  if (!body.every(({ op }) => op === 'assign' || op === 'store')) return undefined
  const line = lineOf(nest, column)
  if (line === undefined) return undefined
  const outer = new LoopVar(`${column.name}0`, Math.floor(column.extent / tileColumns))
  const inner = new LoopVar(`${column.name}1`, tileColumns)
  const replace = substituting(new Map([[column, indexAdd(indexMul(variable(outer), tileColumns), variable(inner))]]))
  const tiled: Nest = {
    ...nest,
    grid: [...grid.slice(0, -1), outer, inner],
    body: body.map((statement) => mapStatement(statement, replace)),
  }
  return { line, outer, inner, tiled, rest: outer.extent * tileColumns }
}
/** The loop along which a load's elements lie side by side, if those of its neighbours in the innermost loop are on other lines. */
function lineOf({ grid, body }: Nest, column: LoopVar): LoopVar | undefined {
  let found: LoopVar | undefined
  const along = (index: Expr, v: LoopVar): number => Math.abs(linearIn(index, v)?.coefficient ?? 0)
  walkExpressions(body, (x) => {
    if (x.op !== 'load') return
    const bytes = bytesOf(x.buffer.dtype)
    if (along(x.index, column) * bytes < lineBytes) return
    for (const v of grid.slice(0, -1)) {
      const fits = along(x.index, v) === 1 && v.extent >= fewestLines && v.extent * column.extent * bytes > leastBytes
      if (fits && v.extent > (found?.extent ?? 0)) found = v
    }
  })
  return found
}
