/** Which places a step reads and writes by itself. */
import type { Buffer, Expr, Kernel } from '../loops/ir.ts'
import { readsOf, walk, walkExpressions, walkStatements } from '../loops/visit.ts'
import type { Place, Step } from './program.ts'

export interface Access {
  readonly reads: readonly Place[]
  readonly writes: readonly Place[]
}
export interface KernelAccess {
  readonly reads: ReadonlySet<Buffer>
  readonly writes: ReadonlySet<Buffer>
}
const known = new WeakMap<Kernel, KernelAccess>()

/** Which parameters a kernel reads, and which it writes; what it updates is both. */
export function accessOfKernel(kernel: Kernel): KernelAccess {
  let access = known.get(kernel)
  if (access === undefined) {
    const [reads, writes] = [new Set<Buffer>(), new Set<Buffer>()]
    const seen = new Set<Expr>()
    const visit = (x: Expr): void => void (x.op === 'load' && reads.add(x.buffer))
    if (kernel.kind === 'product') for (const read of readsOf(kernel)) walk(read, visit, seen)
    walkExpressions(kernel.body, visit, seen)
    walkStatements(kernel.body, (statement) => {
      if (statement.op !== 'store' && statement.op !== 'update') return
      writes.add(statement.buffer)
      if (statement.op === 'update') reads.add(statement.buffer)
    })
    known.set(kernel, (access = { reads, writes }))
  }
  return access
}
/** The places of a step itself, without those of steps in it. */
export function accessOf(step: Step): Access {
  switch (step.op) {
    case 'launch': {
      const { reads, writes } = accessOfKernel(step.kernel)
      const of = (buffers: ReadonlySet<Buffer>): Place[] =>
        step.args.filter((_, at) => buffers.has(step.kernel.params[at]!))
      return { reads: of(reads), writes: of(writes) }
    }
    case 'copy':
      return { reads: [step.from], writes: [step.to] }
    case 'loop':
    case 'parallel':
      return { reads: [], writes: [] }
    case 'while':
      return { reads: [step.flag], writes: [] }
    case 'switch':
      return { reads: [step.index], writes: [] }
    case 'callback':
      return { reads: step.inputs.map(({ place }) => place), writes: step.outputs.map(({ place }) => place) }
  }
}
