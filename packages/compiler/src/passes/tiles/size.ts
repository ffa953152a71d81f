/** Whether a region is worth tiling, and how large its tiles are. */
import type { Equation, Var } from '@fluxion/core'
import type { Chunk } from './region.ts'
import { bytesBetween, hasLoop, hasProductInCycle, wholeBytes, workOf } from './work.ts'

export interface TileLimits {
  /** How many loops a region has at least: of chains without any, fusion leaves little in memory. */
  readonly loops: number
  /** Operations that a region takes at least, in its loops if it is to have some. */
  readonly work: number
  /** Bytes between the equations of a region: fewer stay in cache without tiles. */
  readonly cache: number
  /** Bytes of temporaries that a tile is to have at most. */
  readonly tile: number
  /** How many rows a product inside a recurrence is to have at least, and half of what it is to have at most. */
  readonly rows: number
  /** Operations that it costs to read, or to add up, a byte of what every tile needs as a whole. */
  readonly byte: number
  /** Of a tile's operations that may go into this one part in so many, as long as there are tiles enough. */
  readonly share: number
  /** How many tiles there are to be at least. */
  readonly tiles: number
}
export const tileLimits: TileLimits = {
  loops: 1,
  work: 2e6,
  cache: 512 * 1024,
  tile: 1024 * 1024,
  rows: 8,
  byte: 0.5,
  share: 16,
  tiles: 8,
}

const divisorsOf = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0)

/** How a region is tiled. */
export interface Tiling {
  /** What is gained, in operations: those of the region, less what each tile has to read and to add up as a whole. */
  readonly worth: number
  readonly chunks: readonly Chunk[]
}
/** The tiles of a region; nothing if it is better run as it is. */
export function tilingOf(
  equations: readonly Equation[],
  units: number,
  isSplit: (v: Var) => boolean,
  limits: TileLimits,
): Tiling | undefined {
  if (units < 2) return undefined
  const loops = equations.filter(hasLoop)
  if (loops.length < limits.loops || total(limits.loops > 0 ? loops : equations) < limits.work) return undefined
  const bytes = bytesBetween(equations, isSplit)
  if (bytes <= limits.cache) return undefined
  const size = loops.some(hasProductInCycle)
    ? Math.min(2 * limits.rows, Math.max(limits.rows, Math.floor(units / limits.tiles)))
    : Math.floor(Math.min((limits.tile * units) / bytes, units / limits.tiles))
  const work = total(equations)
  const each = limits.byte * wholeBytes(equations, isSplit)
  // What each tile needs as a whole is to be little of what it does.
  const least = Math.min((units * each * limits.share) / work, units / limits.tiles)
  const chunks = chunksOf(units, Math.max(1, size, Math.ceil(least)))
  const tiles = chunks.reduce((sum, chunk) => sum + chunk.tiles, 0)
  const worth = work - tiles * each
  return tiles < 2 || worth <= 0 ? undefined : { worth, chunks }
}

const total = (equations: readonly Equation[]): number => equations.reduce((sum, equation) => sum + workOf(equation), 0)

/** Tiles of about a size. They are all alike if a divisor is near; else one that is smaller comes last, with a program of its own. */
export function chunksOf(units: number, size: number): Chunk[] {
  const near = divisorsOf(units).reduce((best, d) => (apart(d, size) < apart(best, size) ? d : best), 1)
  if (apart(near, size) < 2) return [{ from: 0, size: near, tiles: units / near }]
  const tiles = Math.floor(units / size)
  return [
    { from: 0, size, tiles },
    { from: tiles * size, size: units - tiles * size, tiles: 1 },
  ]
}
/** How many times larger one number is than the other. */
const apart = (a: number, b: number): number => Math.max(a / b, b / a)
