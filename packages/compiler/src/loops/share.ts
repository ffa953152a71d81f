/**
 * Gives locals to what several statements compute, and to what a loop computes again in each turn, so that printers need to share only within
 * a statement. Parts of indices stay where they are: printers read strides off indices, which a local would hide.
 */
import { assign, local } from './build.ts'
import { isIndex } from './indices.ts'
import { type Buffer, type Expr, Local, type LoopVar, type Stmt } from './ir.ts'
import { bodiesOf, children, expressionsOf, rewriting, walk, walkStatements, withChildren } from './visit.ts'

/** What an expression reads, or what a statement and those in it change. */
type Names = ReadonlySet<Buffer | Local | LoopVar>

/** A statement's use of an expression, seen from the block that is worked on. */
interface Use {
  /** The statement of the block. */
  readonly at: number
  /** The statement itself, which may be inside of that one: one use for each. */
  readonly by: object
  /** Computed before the block's statement changes anything. */
  readonly before: boolean
  /** Whenever the block runs, this is computed. */
  readonly always: boolean
  /** Computed again and again. */
  readonly repeated: boolean
}
/** Locals that stand for an expression, by how many statements before changed its value. */
type Hoisted = ReadonlyMap<Expr, ReadonlyMap<number, { readonly local: Local; readonly at: number }>>

/** Statements that do the same, with locals for expressions that are computed more than once. */
export function shareExpressions(body: readonly Stmt[]): readonly Stmt[] {
  const indices = new Set<Expr>()
  const roots = new Set<Expr>()
  walkStatements(body, (statement) => {
    if (statement.op === 'store' || statement.op === 'update') walk(statement.index, () => {}, indices)
    for (const x of expressionsOf(statement)) {
      walk(x, (part) => void (part.op === 'load' && walk(part.index, () => {}, indices)), roots)
    }
  })
  return shareBlock(
    body,
    (x) => !indices.has(x) && !isIndex(x) && x.op !== 'const' && x.op !== 'local' && !isTruthAsNumber(x),
  )
}
/** 0 or 1 from a truth value costs next to nothing where it is used, and tells printers what it is. */
const isTruthAsNumber = (x: Expr): boolean => x.op === 'convert' && x.x.type === 'bool'

function shareBlock(body: readonly Stmt[], isCandidate: (x: Expr) => boolean): readonly Stmt[] {
  const block = new Block(body)
  const hoisted = block.hoist(isCandidate)
  return body.flatMap((statement, at): Stmt[] => {
    const [before, inside] = [block.rewriter(at, true, hoisted), block.rewriter(at, false, hoisted)]
    const assigns = [...hoisted].flatMap(([x, regions]) =>
      [...regions.values()]
        .filter((to) => to.at === at)
        .map((to) => assign(to.local, withChildren(x, children(x).map(before)))),
    )
    const result = hoisted.size === 0 ? statement : mapUses(statement, before, inside)
    // Found from the outside inwards: what others are computed from comes last.
    return [...assigns.reverse(), mapBodies(result, (inner) => shareBlock(inner, isCandidate))]
  })
}
function mapBodies(statement: Stmt, f: (body: readonly Stmt[]) => readonly Stmt[]): Stmt {
  if (statement.op === 'for' || statement.op === 'while') return { ...statement, body: f(statement.body) }
  return statement.op === 'if' ? { ...statement, yes: f(statement.yes), no: f(statement.no) } : statement
}

class Block {
  readonly #body: readonly Stmt[]
  /** What each statement changes, loops' variables among it. */
  readonly #changes: readonly Names[]
  readonly #reads = new Map<Expr, Names>()
  readonly #changed = new Map<Expr, readonly boolean[]>()

  constructor(body: readonly Stmt[]) {
    this.#body = body
    this.#changes = body.map(changesOf)
  }
  #readsOf(x: Expr): Names {
    let names = this.#reads.get(x)
    if (names === undefined) {
      const own = x.op === 'var' ? [x.variable] : x.op === 'local' ? [x.local] : x.op === 'load' ? [x.buffer] : []
      names = new Set([...own, ...children(x).flatMap((operand) => [...this.#readsOf(operand)])])
      this.#reads.set(x, names)
    }
    return names
  }
  /** Which statements change the value of an expression. */
  #changedBy(x: Expr): readonly boolean[] {
    let changed = this.#changed.get(x)
    if (changed === undefined) {
      const reads = [...this.#readsOf(x)]
      changed = this.#changes.map((changes) => reads.some((name) => changes.has(name)))
      this.#changed.set(x, changed)
    }
    return changed
  }
  /**
   * How often the value has changed before a statement uses it; `undefined` where the statement itself changes it in between, or binds a
   * variable in it.
   */
  #regionOf(x: Expr, at: number, before: boolean): number | undefined {
    const changed = this.#changedBy(x)
    if (changed[at] === true && (!before || this.#isBound(x, at))) return undefined
    return changed.slice(0, at).filter(Boolean).length
  }
  #isBound(x: Expr, at: number): boolean {
    const statement = this.#body[at]!
    return statement.op === 'reduce' && statement.variables.some((v) => this.#readsOf(x).has(v))
  }

  hoist(isCandidate: (x: Expr) => boolean): Hoisted {
    const uses = new Map<Expr, Map<object, Use>>()
    const use = (x: Expr, by: Use): void => {
      let known = uses.get(x)
      if (known === undefined) uses.set(x, (known = new Map()))
      known.set(by.by, by)
    }
    const all = new Set<Expr>()
    this.#body.forEach((statement, at) =>
      usesIn(statement, { at, by: statement, before: true, always: true, repeated: false }, (x, by) => {
        use(x, by)
        walk(x, () => {}, all)
      }),
    )
    const hoisted = new Map<Expr, Map<number, { local: Local; at: number }>>()
    // Operands were seen before what they are operands of: backwards, all uses of an expression are known when it comes.
    for (const x of [...all].reverse()) {
      const regions = new Map<number | undefined, Use[]>()
      for (const by of uses.get(x)!.values()) {
        const region = this.#regionOf(x, by.at, by.before)
        regions.set(region, [...(regions.get(region) ?? []), by])
      }
      for (const [region, members] of regions) {
        if (region === undefined || !isCandidate(x) || !isWorth(x, members)) {
          for (const by of members) for (const operand of children(x)) use(operand, by)
          continue
        }
        const at = Math.min(...members.map((member) => member.at))
        const to = { local: new Local('t', x.type), at }
        const known = hoisted.get(x)
        if (known === undefined) hoisted.set(x, new Map([[region, to]]))
        else known.set(region, to)
        const by: Use = { at, by: to, before: true, always: true, repeated: false }
        for (const operand of children(x)) use(operand, by)
      }
    }
    return hoisted
  }
  /** Expressions of a statement with locals for what was hoisted. */
  rewriter(at: number, before: boolean, hoisted: Hoisted): (x: Expr) => Expr {
    return rewriting((x) => {
      const regions = hoisted.get(x)
      const region = regions === undefined ? undefined : this.#regionOf(x, at, before)
      const to = region === undefined ? undefined : regions!.get(region)
      return to === undefined ? undefined : local(to.local)
    })
  }
}

/** The expressions that a statement computes once before anything else by `before`, all others in it by `f`. */
function mapUses(statement: Stmt, before: (x: Expr) => Expr, f: (x: Expr) => Expr): Stmt {
  const inside = (body: readonly Stmt[]): Stmt[] => body.map((inner) => mapUses(inner, f, f))
  switch (statement.op) {
    case 'for':
      return { ...statement, extent: before(statement.extent), body: inside(statement.body) }
    case 'while':
      return { ...statement, condition: f(statement.condition), body: inside(statement.body) }
    case 'if':
      return {
        ...statement,
        condition: before(statement.condition),
        yes: inside(statement.yes),
        no: inside(statement.no),
      }
    case 'assign':
      return { ...statement, value: before(statement.value) }
    case 'store':
      if (copiesBits(statement)) return { ...statement, index: before(statement.index) }
      return { ...statement, index: before(statement.index), value: before(statement.value) }
    case 'update':
      return { ...statement, index: before(statement.index), value: before(statement.value) }
    case 'reduce': {
      const accumulators = statement.accumulators.map((each) => ({ ...each, value: before(each.value) }))
      return { ...statement, accumulators }
    }
  }
}

/** All uses of expressions in a statement; `as` is how it is used itself. */
function usesIn(statement: Stmt, as: Use, use: (x: Expr, by: Use) => void): void {
  const own = { ...as, by: statement }
  const inside = (body: readonly Stmt[], by: Partial<Use>): void => {
    for (const inner of body) usesIn(inner, { ...own, before: false, ...by }, use)
  }
  switch (statement.op) {
    case 'for': {
      const { extent, body } = statement
      use(extent, own)
      inside(body, { always: own.always && extent.op === 'const' && extent.value > 0, repeated: true })
      return
    }
    case 'while':
      use(statement.condition, { ...own, before: false, repeated: true })
      inside(statement.body, { always: false, repeated: true })
      return
    case 'if':
      use(statement.condition, own)
      for (const branch of bodiesOf(statement)) inside(branch, { always: false, repeated: false })
      return
    case 'reduce': {
      const always = own.always && statement.variables.every(({ extent }) => extent > 0)
      for (const { value } of statement.accumulators) use(value, { ...own, always, repeated: true })
      return
    }
    case 'store':
      if (copiesBits(statement)) use(statement.index, own)
      else for (const x of expressionsOf(statement)) use(x, own)
      return
    case 'assign':
    case 'update':
      for (const x of expressionsOf(statement)) use(x, own)
  }
}
/** Whether a store copies a half float: by bits that is cheaper than from a local, which holds it as f32. */
const copiesBits = ({ buffer, value }: Extract<Stmt, { op: 'store' }>): boolean =>
  value.op === 'load' &&
  value.buffer.dtype === buffer.dtype &&
  (buffer.dtype === 'float16' || buffer.dtype === 'bfloat16')

/** Computed more than once, and nothing that can go wrong is computed where it was not before. */
const isWorth = (x: Expr, uses: readonly Use[]): boolean =>
  (uses.length > 1 && uses.some(({ always }) => always)) ||
  uses.some(({ repeated, always }) => repeated && (always || isHarmless(x)))

/** Whether computing it, needed or not, is in order: nothing is read out of bounds, no integer divided by 0. */
function isHarmless(x: Expr): boolean {
  let harmless = true
  walk(x, (part) => {
    const whole = part.type === 'i32' || part.type === 'u32'
    if (part.op === 'load' || part.op === 'call' || part.op === 'host') harmless = false
    else if (part.op === 'binary' && whole && ['div', 'rem', 'shl', 'shr'].includes(part.fn)) harmless = false
  })
  return harmless
}

/** What a statement and those in it change: buffers, locals, and the variables that loops bind. */
function changesOf(statement: Stmt): Names {
  const names = new Set<Buffer | Local | LoopVar>()
  walkStatements([statement], (inner) => {
    if (inner.op === 'assign') names.add(inner.local)
    else if (inner.op === 'store' || inner.op === 'update') names.add(inner.buffer)
    else if (inner.op === 'for') names.add(inner.variable)
    else if (inner.op === 'reduce') {
      for (const v of inner.variables) names.add(v)
      for (const { into } of inner.accumulators) names.add(into)
    }
  })
  return names
}
