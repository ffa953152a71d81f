/** How a kernel uses its parameters, and how these are bound. */
import { type Buffer, type Expr, type Kernel, walkExpressions, walkStatements, walk } from '@fluxion/compiler'
import { type DType, bytesOf } from '@fluxion/core'

/** How a launch binds a kernel's parameters: what decides on the text of its shader besides the kernel. */
export interface Layout {
  /** The binding that each parameter lies in. */
  readonly bindingOf: readonly number[]
  /** Of each parameter, whether it always begins at a whole 32-bit word. */
  readonly aligned: readonly boolean[]
  /** Of each parameter, whether four of its elements are loaded at once: it begins and ends at a multiple of 16 bytes, alone in a binding. */
  readonly vectors: readonly boolean[]
  /** Of each binding, whether it can be written to: what one binding of a buffer is, all of its bindings in a launch must be. */
  readonly writable: readonly boolean[]
  /** Of each binding, in how many pieces it is bound, one after the other: more than one where it is larger than a device binds at once. */
  readonly pieces: readonly number[]
  /** How many 32-bit words every piece has but the last. */
  readonly pieceWords: number
}
/** Each parameter in a binding of its own. */
export const separate = (kernel: Kernel): Layout => ({
  bindingOf: kernel.params.map((_, at) => at),
  aligned: kernel.params.map(() => true),
  vectors: kernel.params.map(({ length }) => length % 4 === 0),
  writable: kernel.params.map((_, at) => isWritten(kernel, at)),
  pieces: kernel.params.map(() => 1),
  pieceWords: Infinity,
})
/** Something of each binding, once for each of its pieces. */
export const perPiece = <T>({ pieces }: Layout, each: readonly T[]): T[] =>
  each.flatMap((value, binding) => Array.from({ length: pieces[binding]! }, () => value))

/** How many elements of a dtype lie in a 32-bit word. */
export const perWord = (dtype: DType): number => Math.max(1, 4 / bytesOf(dtype))

export interface Uses {
  readonly loaded: ReadonlySet<Buffer>
  readonly stored: ReadonlySet<Buffer>
  readonly updated: ReadonlySet<Buffer>
}
const known = new WeakMap<Kernel, Uses>()
export function usesOf(kernel: Kernel): Uses {
  let uses = known.get(kernel)
  if (uses === undefined) {
    const [loaded, stored, updated] = [new Set<Buffer>(), new Set<Buffer>(), new Set<Buffer>()]
    const seen = new Set<Expr>()
    const visit = (x: Expr): void => void (x.op === 'load' && loaded.add(x.buffer))
    if (kernel.kind === 'product') for (const side of [kernel.left, kernel.right]) walk(side, visit, seen)
    walkExpressions(kernel.body, visit, seen)
    walkStatements(kernel.body, (statement) => {
      if (statement.op === 'store') stored.add(statement.buffer)
      if (statement.op === 'update') updated.add(statement.buffer)
    })
    known.set(kernel, (uses = { loaded, stored, updated }))
  }
  return uses
}
/** Whether a kernel writes to a parameter. */
export function isWritten(kernel: Kernel, param: number): boolean {
  const { stored, updated } = usesOf(kernel)
  const buffer = kernel.params[param]!
  return stored.has(buffer) || updated.has(buffer)
}
