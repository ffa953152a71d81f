/** Bounds of floats in kernels, for rounding: what cannot become infinite, or has a sign that is known, is rounded in fewer instructions. */
import { type Buffer, type Expr, type Local, type Stmt, walkStatements } from '@fluxion/compiler'
import { roundHalf } from '@fluxion/core'

/** Bounds of all values but NaN. */
export type Bounds = readonly [low: number, high: number]
const anything: Bounds = [-Infinity, Infinity]
/** From here on what is rounded to float16 is infinite; its largest finite number. */
export const infinite = 65520
const largest = 65504

const definitions = new WeakMap<Local, Expr>()
/** What a local stands for, if it is assigned once. */
export const definitionOf = (local: Local): Expr | undefined => definitions.get(local)
const buffers = new WeakMap<Buffer, Bounds>()
/** Say within which bounds a buffer's elements are, NaN aside. */
export const noteBounds = (buffer: Buffer, bounds: Bounds): void => void buffers.set(buffer, bounds)
export const boundsOf = (buffer: Buffer): Bounds => buffers.get(buffer) ?? (buffer.holds === 'bool' ? [0, 1] : anything)
const known = new WeakMap<Expr, Bounds>()
/** Note what locals stand for that are assigned once; before a kernel is printed. */
export function noteDefinitions(body: readonly Stmt[]): void {
  const counts = new Map<Local, number>()
  walkStatements(body, (statement) => {
    if (statement.op === 'assign') counts.set(statement.local, (counts.get(statement.local) ?? 0) + 1)
    if (statement.op === 'reduce') for (const { into } of statement.accumulators) counts.set(into, 2)
  })
  walkStatements(body, (statement) => {
    if (statement.op === 'assign' && counts.get(statement.local) === 1)
      definitions.set(statement.local, statement.value)
  })
}
/** The least and the greatest value of an f32, NaN aside, as far as is known. */
export function rangeOf(x: Expr): Bounds {
  let bounds = known.get(x)
  if (bounds === undefined) known.set(x, (bounds = compute(x)))
  return bounds
}
const between = (...ends: readonly number[]): Bounds => {
  const bounds = [Math.min(...ends), Math.max(...ends)] as const
  return Number.isNaN(bounds[0]) ? anything : bounds
}
/** Of operations that grow with each operand, or fall: f32s round in order, so that bounds stay bounds. */
const corners = (f: (x: number, y: number) => number, [a, b]: Bounds, [c, d]: Bounds): Bounds =>
  between(...[f(a, c), f(a, d), f(b, c), f(b, d)].map(Math.fround))
/** What is left out is NaN: next to infinity there are finite numbers, whose product with 0 is 0. */
const product = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y)

function compute(x: Expr): Bounds {
  if (x.type !== 'f32') return anything
  switch (x.op) {
    case 'const':
      return between(x.value)
    case 'convert':
      return x.x.type === 'bool' ? [0, 1] : anything
    case 'load':
      return boundsOf(x.buffer)
    case 'local': {
      const definition = definitions.get(x.local)
      return definition === undefined ? anything : rangeOf(definition)
    }
    case 'narrow': {
      const [low, high] = rangeOf(x.x)
      return x.dtype === 'float16' ? [roundHalf(low), roundHalf(high)] : anything
    }
    case 'select':
      return between(...rangeOf(x.x), ...rangeOf(x.y))
    case 'unary': {
      const [low, high] = rangeOf(x.x)
      if (x.fn === 'neg') return [-high, -low]
      if (x.fn === 'abs') return low >= 0 ? [low, high] : [0, Math.max(-low, high)]
      return x.fn === 'sqrt' ? [0, Math.fround(Math.sqrt(Math.max(0, high)))] : anything
    }
    case 'binary': {
      const [a, b] = [rangeOf(x.x), rangeOf(x.y)]
      switch (x.fn) {
        case 'add':
          return between(Math.fround(a[0] + b[0]), Math.fround(a[1] + b[1]))
        case 'sub':
          return between(Math.fround(a[0] - b[1]), Math.fround(a[1] - b[0]))
        case 'mul': {
          const [low, high] = corners(product, a, b)
          return isSame(x.x, x.y) ? [Math.max(0, low), high] : [low, high]
        }
        case 'div':
          return b[0] > 0 || b[1] < 0 ? corners((n, d) => n / d, a, b) : anything
        case 'min':
          return [Math.min(a[0], b[0]), Math.min(a[1], b[1])]
        case 'max':
          return [Math.max(a[0], b[0]), Math.max(a[1], b[1])]
        default:
          return anything
      }
    }
    default:
      return anything
  }
}
/** Whether both are the same value, where an expression uses both. */
export const isSame = (x: Expr, y: Expr): boolean =>
  x === y || (x.op === 'local' && y.op === 'local' && x.local === y.local)
/** The largest magnitude that a float16 can have which is not infinite, given its bounds. */
const magnitude = (x: Expr): number => {
  const [low, high] = rangeOf(x)
  return Math.min(largest, Math.max(-low, high))
}
/** Whether an operation on float16s, of finite ones, may give what rounds to infinity. */
export function mayOverflow(x: Expr): boolean {
  if (x.op === 'unary') return x.fn !== 'sqrt'
  const [low, high] = rangeOf(x)
  if (Math.max(-low, high) < infinite) return false
  if (x.op !== 'binary') return true
  const [a, b] = [magnitude(x.x), magnitude(x.y)]
  if (x.fn === 'mul') return a * b >= infinite
  return x.fn === 'add' || x.fn === 'sub' ? a + b >= infinite : true
}
