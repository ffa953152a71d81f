/** What of a region's buffers lies in workgroup memory while a workgroup goes through the loop. */
import {
  Buffer,
  type Expr,
  type LoopVar,
  indexRange,
  scalarType,
  walk,
  walkExpressions,
  walkStatements,
} from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import { usesOf } from '../print/access.ts'
import { alongAxis } from './cut.ts'
import type { Phase, Region, Turns } from './region.ts'

/** The dtype of what is kept in workgroup memory, which is machine values. */
const kept = { f32: 'float32', f64: 'float64', i32: 'int32', u32: 'uint32', bool: 'bool' } as const
const keptDtype = (dtype: DType): DType => kept[scalarType(dtype)]

/** A buffer whose elements, those of a tile, lie in workgroup memory during the loop. */
export interface Moved {
  readonly from: Buffer
  readonly to: Buffer
  /** Elements between neighbours on the axis, and the blocks that hold the axis' places, from the first one on; none of what is only read. */
  readonly rows: { readonly stride: number; readonly first: number; readonly blocks: number } | undefined
  /** Of what each tile has for itself: how many elements. */
  readonly each: number | undefined
  readonly outside: boolean
  readonly written: boolean
}

/** What goes to workgroup memory: first what the steps hand on, the smallest first, then what all of them read. */
export function movedOf(region: Region, bytes: number): Map<Buffer, Moved> {
  const { loaded, stored, updated } = usesOf(region)
  const indices = indicesOf(region)
  const candidates: Moved[] = []
  for (const [from, { stride, each, alone, outside }] of region.kept) {
    if (updated.has(from) || !alone) continue
    const written = stored.has(from)
    const dtype = keptDtype(from.dtype)
    if (written && each !== undefined) {
      candidates.push({ from, to: new Buffer('kept', dtype, each), rows: undefined, each, outside, written })
    } else if (!written) {
      // The elements from the first one on, where no counter moves them.
      const all = indices.get(from)!
      const [low, high] = [
        Math.min(...all.map(({ index }) => indexRange(index)[0])),
        Math.max(...all.map(({ index }) => indexRange(index)[1])),
      ]
      const fixed = all.every(
        ({ index, turns, axis }) => ![...turns, axis].some((v) => v !== undefined && mentioned(index, v)),
      )
      if (low !== 0 || !fixed || high >= from.length) continue
      candidates.push({
        from,
        to: new Buffer('kept', dtype, high + 1),
        rows: undefined,
        each: undefined,
        outside: true,
        written,
      })
    } else if (stride !== undefined && loaded.has(from)) {
      const blocks = indices.get(from)!.map(({ index, axis }) => indexRange(alongAxis(index, axis!, stride)!.block))
      const first = Math.min(...blocks.map(([low]) => low))
      const count = Math.max(...blocks.map(([, high]) => high)) - first + 1
      if (count > 2) continue
      const to = new Buffer('kept', dtype, count * region.rows * stride)
      candidates.push({ from, to, rows: { stride, first, blocks: count }, each: undefined, outside, written })
    }
  }
  const order = candidates.sort((a, b) => Number(b.written) - Number(a.written) || a.to.length - b.to.length)
  let left = bytes
  const chosen = order.filter(({ to }) => {
    const size = 4 * to.length
    if (size > left) return false
    left -= size
    return true
  })
  return new Map(chosen.map((moved) => [moved.from, moved]))
}
const mentioned = (x: Expr, v: LoopVar): boolean => {
  let found = false
  walk(x, (part) => void (part.op === 'var' && part.variable === v && (found = true)))
  return found
}
interface Indexed {
  readonly index: Expr
  readonly axis: LoopVar | undefined
  /** The loops over steps that it stands in. */
  readonly turns: readonly LoopVar[]
}
/** Where phases use each buffer. */
function indicesOf(region: Region): Map<Buffer, Indexed[]> {
  const found = new Map<Buffer, Indexed[]>()
  const visit = (step: Phase | Turns, turns: readonly LoopVar[]): void => {
    if (step.op === 'turns') {
      for (const inner of step.body) visit(inner, [...turns, step.variable])
      return
    }
    const { kernel, axis } = step
    const add = (buffer: Buffer, index: Expr): void => {
      const list = found.get(buffer) ?? []
      found.set(buffer, list)
      list.push({ index, axis, turns })
    }
    const seen = new Set<Expr>()
    const look = (x: Expr): void => void (x.op === 'load' && add(x.buffer, x.index))
    if (kernel.kind === 'product') for (const side of [kernel.left, kernel.right]) walk(side, look, seen)
    walkExpressions(kernel.body, look, seen)
    walkStatements(kernel.body, (statement) => {
      if (statement.op === 'store' || statement.op === 'update') add(statement.buffer, statement.index)
    })
  }
  visit(region.turns, [])
  return found
}
