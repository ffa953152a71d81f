/** Where code stands: the loops and branches around it, what they change, and what is computed before them or once a turn. */
import {
  bodiesOf,
  type Buffer,
  type Expr,
  type Local,
  type LoopVar,
  type Stmt,
  walkStatements,
} from '@fluxion/compiler'
import type { Instruction, Register } from '../assembler/function.ts'

/** What running statements changes. */
export interface Changes {
  readonly locals: ReadonlySet<Local>
  readonly buffers: ReadonlySet<Buffer>
}
export const noChanges: Changes = { locals: new Set(), buffers: new Set() }
const known = new WeakMap<object, Changes>()
/** What statements change, those inside of them included. */
export function changesOf(statements: readonly Stmt[]): Changes {
  let changes = known.get(statements)
  if (changes === undefined) {
    const [locals, buffers] = [new Set<Local>(), new Set<Buffer>()]
    walkStatements(statements, (statement) => {
      if (statement.op === 'assign') locals.add(statement.local)
      if (statement.op === 'store' || statement.op === 'update') buffers.add(statement.buffer)
      if (statement.op === 'reduce') for (const { into } of statement.accumulators) locals.add(into)
    })
    changes = { locals, buffers }
    known.set(statements, changes)
  }
  return changes
}
/** Whether a statement has one of these kinds in it, or is one. */
export function holds(statements: readonly Stmt[], test: (statement: Stmt) => boolean): boolean {
  return statements.some((statement) => test(statement) || bodiesOf(statement).some((body) => holds(body, test)))
}

/** Registers by what they hold: a way of representing values, and the expression. */
export class Cache {
  readonly #registers = new Map<string, Map<Expr, Register>>()
  get(form: string, x: Expr): Register | undefined {
    return this.#registers.get(form)?.get(x)
  }
  set(form: string, x: Expr, register: Register): void {
    let known = this.#registers.get(form)
    if (known === undefined) this.#registers.set(form, (known = new Map()))
    known.set(x, register)
  }
}

export class Scope {
  /** Code can be put before a loop; a branch only guards. */
  readonly kind: 'function' | 'loop' | 'branch'
  readonly variable: LoopVar | undefined
  readonly changes: Changes
  /** Whether what is inside may not run at all, so that what may trap must stay there. */
  readonly guards: boolean
  /** What runs before the loop, and the registers that it fills. */
  readonly before: Instruction[] = []
  readonly hoisted: Cache = new Cache()
  /** What runs at the start of each turn: multiples of the variable. */
  readonly top: Instruction[] = []
  readonly multiples: Map<number, Register> = new Map()
  /** How deep expressions depend on scopes, seen from this one. */
  readonly levels: Map<Expr, number> = new Map()

  constructor(kind: Scope['kind'], variable: LoopVar | undefined, changes: Changes, guards: boolean) {
    this.kind = kind
    this.variable = variable
    this.changes = changes
    this.guards = guards
  }
}
