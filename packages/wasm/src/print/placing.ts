/**
 * Where code goes: what a loop does not change is computed before it, what a statement uses several times is kept in a register. Emitters of
 * expressions build on this.
 */
import { children, type Expr, type Local, type LoopVar } from '@fluxion/compiler'
import type { FunctionBuilder, Instruction, Register, ValueType } from '../assembler/function.ts'
import { valueType } from './scalar.ts'
import { Cache, type Changes, noChanges, Scope } from './scope.ts'

/** How code runs several turns of a loop at once. */
export interface Vector {
  readonly variable: LoopVar
  /** Turns in a register; two where there are f64s. */
  readonly lanes: 2 | 4
  /** Registers side by side: copy k holds the turns from k · lanes on. */
  readonly copies: number
  /** Locals that hold another value in each lane. */
  readonly varying: ReadonlySet<Local>
}
/** What statements share while one of them is emitted. */
interface Frame {
  readonly uses: ReadonlyMap<Expr, number>
  readonly cache: Cache
  /** Registers to give back at the end; `undefined` where they stay. */
  readonly temporaries: Register[] | undefined
}
export interface LoopRange {
  /** Where the variable starts, and below which it ends: a constant, or a register that the loop does not change. */
  readonly start: number | Register
  readonly end: number | Register
  readonly step: number
  /** Whether there is at least one turn. */
  readonly runs: boolean
  /** Whether what no turn changes may be computed even if there is no turn. */
  readonly safe?: boolean
}

/** What traps or reads out of bounds when it runs where it should not. */
const mayTrap = (x: Expr): boolean =>
  x.op === 'load' ||
  x.op === 'call' ||
  x.op === 'host' ||
  (x.op === 'binary' &&
    (x.fn === 'div' || x.fn === 'rem') &&
    x.type !== 'f32' &&
    x.type !== 'f64' &&
    x.y.op !== 'const')
/** How often each expression is used in those given, as an operand or by itself; also in what locals among them stand for. */
function usesIn(roots: readonly Expr[], aliases: ReadonlyMap<Local, Expr>): Map<Expr, number> {
  const uses = new Map<Expr, number>()
  const use = (x: Expr): void => {
    const count = uses.get(x) ?? 0
    uses.set(x, count + 1)
    if (count > 0) return
    const alias = x.op === 'local' ? aliases.get(x.local) : undefined
    if (alias !== undefined) use(alias)
    else children(x).forEach(use)
  }
  roots.forEach(use)
  return uses
}

export class Placing {
  readonly f: FunctionBuilder
  protected readonly variables: Map<LoopVar, Register> = new Map()
  readonly #locals = new Map<Local, Register[]>()
  /** Locals that stand for an expression that the loop around does not change. */
  readonly #aliases = new Map<Local, Expr>()
  protected scopes: readonly Scope[] = [new Scope('function', undefined, noChanges, false)]
  protected frame: Frame = { uses: new Map(), cache: new Cache(), temporaries: undefined }
  #vector: Vector | undefined
  #varies = new Map<Expr, boolean>()

  constructor(f: FunctionBuilder) {
    this.f = f
  }
  /** Say which register counts a loop variable that no `loop` of this emitter's binds: that of the first lane. */
  bindVariable(variable: LoopVar, register: Register): void {
    this.variables.set(variable, register)
  }
  /** The register that counts a loop variable. */
  counterOf(variable: LoopVar): Register {
    let register = this.variables.get(variable)
    if (register === undefined) this.variables.set(variable, (register = this.f.register('i32')))
    return register
  }
  /** Say which registers hold a local: one for each copy if it varies from lane to lane. */
  bindLocal(local: Local, registers: readonly Register[]): void {
    this.#locals.set(local, [...registers])
  }
  /** The register of a local, or of a copy of it. */
  registerOf(local: Local, copy = 0): Register {
    let registers = this.#locals.get(local)
    if (registers === undefined) this.#locals.set(local, (registers = []))
    const type: ValueType = this.#vector?.varying.has(local) === true ? 'v128' : valueType(local.type)
    const known = registers[copy]
    // the same body is printed with lanes and without
    if (known !== undefined && known.type === type) return known
    return (registers[copy] = this.f.register(type))
  }

  /**
   * Let a local stand for a value that the innermost loop does not change, so that what is computed from it may go before the loop, too;
   * `false` if it does. Only for locals assigned once, and used in that loop only.
   */
  alias(local: Local, value: Expr): boolean {
    const invariant = value.op !== 'const' && this.isInvariant(value)
    if (invariant) this.#aliases.set(local, value)
    else this.#aliases.delete(local)
    return invariant
  }

  /** Whether the innermost loop does not change a value. */
  isInvariant(value: Expr): boolean {
    return this.#home(this.#level(value)) !== undefined
  }
  /** Let a local stand for a value that the innermost loop does change, until told otherwise. */
  stand(local: Local, value: Expr | undefined): void {
    if (value === undefined) this.#aliases.delete(local)
    else this.#aliases.set(local, value)
  }

  get vector(): Vector | undefined {
    return this.#vector
  }
  /** Emit what `body` emits with lanes for a variable's turns, or without. */
  withVector(vector: Vector | undefined, body: () => void): void {
    const [outer, varies] = [this.#vector, this.#varies]
    this.#vector = vector
    this.#varies = new Map()
    try {
      body()
    } finally {
      this.#vector = outer
      this.#varies = varies
    }
  }
  /** Emit a statement over these expressions: what they share is computed once. */
  statement(roots: readonly Expr[], body: () => void): void {
    const outer = this.frame
    const temporaries: Register[] = []
    this.frame = { uses: usesIn(roots, this.#aliases), cache: new Cache(), temporaries }
    try {
      body()
    } finally {
      this.frame = outer
    }
    for (const register of temporaries) this.f.release(register)
  }

  /** How often the current statement uses an expression. */
  uses(x: Expr): number {
    return this.frame.uses.get(x) ?? 0
  }
  /** Emit inside of a scope; gives the scope's code. */
  protected inside(scope: Scope, body: () => void): readonly Instruction[] {
    const code: Instruction[] = []
    const outer = this.scopes
    this.scopes = [...outer, scope]
    try {
      this.f.apart(code, body)
    } finally {
      this.scopes = outer
    }
    return code
  }
  /** Loops that share what is computed before the first. */
  group(changes: Changes, body: () => void): void {
    const scope = new Scope('loop', undefined, changes, false)
    const code = this.inside(scope, body)
    this.f.append(scope.before).append(code)
  }
  /** A loop over a variable. */
  loop(variable: LoopVar, range: LoopRange, changes: Changes, body: () => void): void {
    const { f } = this
    const register = this.counterOf(variable)
    const scope = new Scope('loop', variable, changes, !range.runs && range.safe !== true)
    const code = this.inside(scope, body)
    const push = (value: number | Register): void => void (typeof value === 'number' ? f.i32(value) : f.get(value))
    if (range.start !== register) {
      push(range.start)
      f.set(register)
    }
    const turns = (): void =>
      void f.loop((again) => {
        f.append(scope.top).append(code)
        f.get(register).i32(range.step).op('i32.add').tee(register)
        push(range.end)
        f.op('i32.lt_s').brIf(again)
      })
    f.append(scope.before)
    if (range.runs) turns()
    else {
      f.get(register)
      push(range.end)
      f.op('i32.lt_s').if(turns)
    }
  }

  /** The deepest scope on which an expression's value depends, as a number; 0 if on none. */
  #level(x: Expr): number {
    const { levels } = this.scopes.at(-1)!
    let level = levels.get(x)
    if (level === undefined) {
      level = Math.max(this.#ownLevel(x), ...children(x).map((child) => this.#level(child)))
      levels.set(x, level)
    }
    return level
  }
  #ownLevel(x: Expr): number {
    const last = (test: (scope: Scope) => boolean): number => Math.max(0, this.scopes.findLastIndex(test))
    if (x.op === 'var') return last((scope) => scope.variable === x.variable)
    if (x.op === 'local') {
      const alias = this.#aliases.get(x.local)
      return alias === undefined ? last((scope) => scope.changes.locals.has(x.local)) : this.#level(alias)
    }
    const guarded = mayTrap(x) ? last((scope) => scope.guards) : 0
    if (x.op !== 'load') return guarded
    return Math.max(
      guarded,
      last((scope) => scope.changes.buffers.has(x.buffer)),
    )
  }
  /** The outermost loop that does not change a value of this level: before it is where the value is computed. */
  #home(level: number): number | undefined {
    const home = this.scopes.findIndex((scope, i) => i > level && scope.kind === 'loop')
    return home < 0 ? undefined : home
  }
  /** A register filled before a loop. */
  #hoisted(home: number, form: string, x: Expr, type: ValueType, emit: () => void): Register {
    const scope = this.scopes[home]!
    const known = scope.hoisted.get(form, x)
    if (known !== undefined) return known
    const register = this.f.register(type)
    const [scopes, frame] = [this.scopes, this.frame]
    this.scopes = scopes.slice(0, home)
    this.frame = { uses: frame.uses, cache: scope.hoisted, temporaries: undefined }
    this.f.apart(scope.before, () => {
      emit()
      this.f.set(register)
    })
    this.scopes = scopes
    this.frame = frame
    scope.hoisted.set(form, x, register)
    return register
  }
  /** Push a value in some form: from before a loop, from a register of the statement, or computed here. */
  protected once(form: string, x: Expr, type: ValueType, emit: () => void, keep = false): void {
    const home = this.#home(this.#level(x))
    if (home !== undefined) {
      this.f.get(this.#hoisted(home, form, x, type, emit))
      return
    }
    const { cache, temporaries, uses } = this.frame
    const known = cache.get(form, x)
    if (known !== undefined) {
      this.f.get(known)
      return
    }
    emit()
    if (!keep && (uses.get(x) ?? 0) < 2) return
    const register = temporaries === undefined ? this.f.register(type) : this.f.temporary(type)
    temporaries?.push(register)
    cache.set(form, x, register)
    this.f.tee(register)
  }

  protected resolved(x: Expr): Expr {
    const alias = x.op === 'local' ? this.#aliases.get(x.local) : undefined
    return alias === undefined ? x : this.resolved(alias)
  }

  /** Whether an expression has another value in each lane. */
  varies(x: Expr): boolean {
    const vector = this.#vector
    if (vector === undefined || x.op === 'const') return false
    if (x.op === 'var') return x.variable === vector.variable
    if (x.op === 'local') return vector.varying.has(x.local)
    let varies = this.#varies.get(x)
    if (varies === undefined) {
      varies = children(x).some((child) => this.varies(child))
      this.#varies.set(x, varies)
    }
    return varies
  }
}
