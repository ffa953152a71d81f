/**
 * Where the sign of a zero can be seen: it cannot where a value is only compared, or added to what is never −0. What is rounded to float16 need
 * not keep it there, which saves instructions.
 */
import {
  type Buffer,
  children,
  type Expr,
  expressionsOf,
  type Kernel,
  type Local,
  type Stmt,
  walkStatements,
} from '@fluxion/compiler'
import { excludesZero, mayBeNegativeZero } from './signs.ts'

const unseen = new WeakSet<Buffer>()
/** Say that what reads a buffer does not see signs of zeros. */
export const noteUnseenZeros = (buffer: Buffer): void => void unseen.add(buffer)
export const hasUnseenZeros = (buffer: Buffer): boolean => unseen.has(buffer)

const [met, observed] = [new WeakSet<Expr>(), new WeakSet<Expr>()]
/** Whether nobody sees the sign of a zero that an expression of a kernel gives; of those that were looked at. */
export const isUnseenZero = (x: Expr): boolean => met.has(x) && !observed.has(x)

/** Look at a kernel, of whose buffers some are read where signs of zeros are not seen; gives the buffers whose signs it sees. */
export function noteZeros(
  kernel: Kernel,
  isUnseen: (buffer: Buffer) => boolean = hasUnseenZeros,
  note = true,
): ReadonlySet<Buffer> {
  const seen = new Set<Buffer>()
  const locals = new Set<Local>()
  const levels = new Map<Expr, boolean>()
  const walk = (x: Expr, sees: boolean): void => {
    const before = levels.get(x)
    if (before === true || before === sees) return
    levels.set(x, sees)
    if (x.op === 'local' && sees) locals.add(x.local)
    if (x.op === 'load' && sees) seen.add(x.buffer)
    const levelsOf = operandsSeen(x, sees)
    children(x).forEach((child, i) => walk(child, levelsOf[i] ?? levelsOf[0]!))
  }
  for (let known = -1; known < locals.size;) {
    known = locals.size
    walkStatements(kernel.body, (statement) => {
      for (const x of expressionsOf(statement)) walk(x, false)
      for (const [value, sees] of valuesOf(statement, locals, isUnseen)) walk(value, sees)
      if (statement.op === 'update') seen.add(statement.buffer)
    })
    if (kernel.kind === 'product') {
      const sees = locals.has(kernel.sum)
      walk(kernel.left, sees)
      walk(kernel.right, sees)
      if (kernel.finite !== undefined) walk(kernel.finite, false)
    }
  }
  if (!note) return seen
  for (const [x, sees] of levels) {
    if (x.op !== 'narrow') continue
    met.add(x)
    if (sees) observed.add(x)
  }
  return seen
}
function valuesOf(
  statement: Stmt,
  locals: ReadonlySet<Local>,
  isUnseen: (buffer: Buffer) => boolean,
): (readonly [value: Expr, sees: boolean])[] {
  switch (statement.op) {
    case 'store':
      return [[statement.value, !isUnseen(statement.buffer)]]
    case 'update':
      return [[statement.value, true]]
    case 'assign':
      return [[statement.value, locals.has(statement.local)]]
    case 'reduce':
      return statement.accumulators.map(({ into, value }) => [value, locals.has(into)])
    default:
      return []
  }
}
/** Which operands' signs of zeros are seen, if that of the result is or is not: of each, or one for all. */
function operandsSeen(x: Expr, sees: boolean): readonly boolean[] {
  switch (x.op) {
    case 'unary':
      return [sees && x.fn !== 'abs']
    case 'binary':
      if (x.type !== 'f32' && x.type !== 'f64') return [false]
      // of a sum of zeros that is −0 only if both are; of a difference, if what it is taken from is
      if (x.fn === 'add') return [sees && matters(x.y), sees && matters(x.x)]
      if (x.fn === 'sub') return [sees && !excludesZero(x.y), sees && matters(x.x)]
      if (x.fn === 'mul' || x.fn === 'min' || x.fn === 'max') return [sees]
      return x.fn === 'div' ? [sees, !excludesZero(x.y)] : [true]
    case 'select':
      return [false, sees, sees]
    case 'fma':
    case 'narrow':
      return [sees]
    case 'convert':
      return [sees && (x.type === 'f32' || x.type === 'f64')]
    case 'bitcast':
    case 'call':
    case 'host':
      return [true]
    default:
      return [false]
  }
}
const matters = (other: Expr): boolean => !excludesZero(other) && mayBeNegativeZero(other)
