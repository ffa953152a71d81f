/**
 * Arithmetic of indices: linear forms over loop variables, kept canonical so that what reshapes take apart and put together cancels, and
 * printers can read strides off. Indices never overflow; only what this file makes is taken apart, since other i32 values wrap.
 */
import { i32, isConst } from './build.ts'
import type { Expr, LoopVar } from './ir.ts'

/** constant + Σ coefficient · atom; atoms by key, in the order in which they were met. */
interface Linear {
  readonly constant: number
  readonly terms: ReadonlyMap<string, { readonly atom: Expr; readonly coefficient: number }>
}
type Terms = Map<string, { readonly atom: Expr; readonly coefficient: number }>
/** A quotient or remainder that is left over: of what, by what. */
interface Division {
  readonly of: Linear
  readonly by: number
}

const linears = new WeakMap<Expr, Linear>()
const divisions = new WeakMap<Expr, Division>()
const keys = new WeakMap<object, string>()
let nextKey = 0
/** A key that equal atoms share: variables by identity, divisions by their operands. */
function keyOf(atom: Expr): string {
  const division = divisions.get(atom)
  const identity: object = atom.op === 'var' ? atom.variable : atom.op === 'local' ? atom.local : atom
  let key = keys.get(identity)
  if (key === undefined) {
    key =
      division === undefined
        ? `${nextKey++}`
        : `${(atom as { fn: string }).fn}(${showLinear(division.of)},${division.by})`
    keys.set(identity, key)
  }
  return key
}
const showLinear = ({ constant, terms }: Linear): string =>
  [...terms]
    .map(([key, { coefficient }]) => `${coefficient}*${key}`)
    .sort()
    .join('+') + `+${constant}`

function linearOf(x: Expr): Linear {
  if (isConst(x)) return { constant: x.value, terms: new Map() }
  const known = linears.get(x)
  if (known !== undefined) return known
  return { constant: 0, terms: new Map([[keyOf(x), { atom: x, coefficient: 1 }]]) }
}
function combine(x: Linear, y: Linear, scale: number): Linear {
  const terms: Terms = new Map(x.terms)
  for (const [key, { atom, coefficient }] of y.terms) {
    const sum = (terms.get(key)?.coefficient ?? 0) + scale * coefficient
    if (sum === 0) terms.delete(key)
    else terms.set(key, { atom, coefficient: sum })
  }
  return rejoined({ constant: x.constant + scale * y.constant, terms })
}
/** Replace k·c·⌊R/c⌋ + k·(R mod c) by k·R. */
function rejoined(x: Linear): Linear {
  for (const [key, { atom, coefficient }] of x.terms) {
    const division = divisions.get(atom)
    if (division === undefined || atom.op !== 'binary' || atom.fn !== 'floorMod') continue
    const [quotient] = linearOf(indexDiv(exprOf(division.of), division.by)).terms.keys()
    if (quotient === undefined || x.terms.get(quotient)?.coefficient !== coefficient * division.by) continue
    const terms: Terms = new Map(x.terms)
    terms.delete(key)
    terms.delete(quotient)
    return combine({ constant: x.constant, terms }, division.of, coefficient)
  }
  return x
}

/** The least and the greatest value, as far as is known. */
function rangeOf(x: Linear): readonly [low: number, high: number] {
  let [low, high] = [x.constant, x.constant]
  for (const { atom, coefficient } of x.terms.values()) {
    const [from, to] = rangeOfAtom(atom)
    low += coefficient * (coefficient > 0 ? from : to)
    high += coefficient * (coefficient > 0 ? to : from)
  }
  return [low, high]
}
function rangeOfAtom(atom: Expr): readonly [low: number, high: number] {
  if (atom.op === 'var') return [0, Math.max(0, atom.variable.extent - 1)]
  const division = divisions.get(atom)
  if (division !== undefined) {
    const { of, by } = division
    if ((atom as { fn: string }).fn === 'floorMod') return [0, by - 1]
    const [low, high] = rangeOf(of)
    return [Math.floor(low / by), Math.floor(high / by)]
  }
  if (atom.op === 'binary' && (atom.fn === 'min' || atom.fn === 'max')) {
    const [[a, b], [c, d]] = [rangeOf(linearOf(atom.x)), rangeOf(linearOf(atom.y))]
    return atom.fn === 'min' ? [Math.min(a, c), Math.min(b, d)] : [Math.max(a, c), Math.max(b, d)]
  }
  return [-Infinity, Infinity]
}
/** The least and the greatest value that an index can have, as far as is known. */
export const indexRange = (x: Expr): readonly [low: number, high: number] => rangeOf(linearOf(x))

/** Linear forms as expressions, one object for each form, so that equal indices are shared. */
const made = new Map<string, WeakRef<Expr>>()
const makers = new FinalizationRegistry<string>((key) => {
  if (made.get(key)?.deref() === undefined) made.delete(key)
})
function exprOf(x: Linear): Expr {
  if (x.terms.size === 0) return i32(x.constant)
  const key = showLinear(x)
  const known = made.get(key)?.deref()
  if (known !== undefined) return known
  let result: Expr | undefined
  const plus = (part: Expr, minus: boolean): Expr =>
    result === undefined
      ? minus
        ? { op: 'unary', fn: 'neg', type: 'i32', x: part }
        : part
      : { op: 'binary', fn: minus ? 'sub' : 'add', type: 'i32', x: result, y: part }
  for (const { atom, coefficient } of x.terms.values()) {
    const size = Math.abs(coefficient)
    const part: Expr = size === 1 ? atom : { op: 'binary', fn: 'mul', type: 'i32', x: atom, y: i32(size) }
    result = plus(part, coefficient < 0)
  }
  if (x.constant !== 0) result = plus(i32(Math.abs(x.constant)), x.constant < 0)
  const expr = result!
  const single = x.terms.size === 1 && x.constant === 0 && [...x.terms.values()][0]!.coefficient === 1
  if (!single) {
    linears.set(expr, x)
    made.set(key, new WeakRef(expr))
    makers.register(expr, key)
  }
  return expr
}

/** Sum of indices and numbers. */
export const indexAdd = (...xs: readonly (Expr | number)[]): Expr =>
  exprOf(
    xs.reduce<Linear>((sum, x) => combine(sum, linearOf(typeof x === 'number' ? i32(x) : x), 1), {
      constant: 0,
      terms: new Map(),
    }),
  )
export const indexMul = (x: Expr, factor: number): Expr =>
  exprOf(factor === 0 ? linearOf(i32(0)) : combine({ constant: 0, terms: new Map() }, linearOf(x), factor))

/** x = by · quotient + rest, with terms in the quotient as far as their coefficients allow. */
function divided(x: Linear, by: number): { quotient: Linear; rest: Linear } {
  const [quotient, rest]: [Terms, Terms] = [new Map(), new Map()]
  for (const [key, { atom, coefficient }] of x.terms) {
    const whole = Math.floor(coefficient / by)
    if (coefficient % by === 0) quotient.set(key, { atom, coefficient: whole })
    else rest.set(key, { atom, coefficient })
  }
  const whole = Math.floor(x.constant / by)
  return {
    quotient: { constant: whole, terms: quotient },
    rest: { constant: x.constant - whole * by, terms: rest },
  }
}
function division(fn: 'floorDiv' | 'floorMod', of: Linear, by: number): Linear {
  const atom: Expr = { op: 'binary', fn, type: 'i32', x: exprOf(of), y: i32(by) }
  divisions.set(atom, { of, by })
  return linearOf(atom)
}
const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b))

/** ⌊x / by⌋ for a positive number. */
export function indexDiv(x: Expr, by: number): Expr {
  if (by === 1) return x
  const { quotient, rest } = divided(linearOf(x), by)
  const [low, high] = rangeOf(rest)
  if (Number.isFinite(low) && Math.floor(low / by) === Math.floor(high / by)) {
    return exprOf(combine(quotient, { constant: Math.floor(low / by), terms: new Map() }, 1))
  }
  // What all coefficients share with the divisor cancels: of the constant only its whole part matters.
  const shared = [...rest.terms.values()].reduce((g, { coefficient }) => gcd(g, coefficient), by)
  const reduced: Linear = {
    constant: Math.floor(rest.constant / shared),
    terms: new Map(
      [...rest.terms].map(([key, { atom, coefficient }]) => [key, { atom, coefficient: coefficient / shared }]),
    ),
  }
  const only = reduced.terms.size === 1 && reduced.constant === 0 ? [...reduced.terms.values()][0]! : undefined
  const left = by / shared
  const part =
    left === 1
      ? reduced
      : (only?.coefficient === 1 && divisionAgain(only.atom, left)) || division('floorDiv', reduced, left)
  return exprOf(combine(quotient, part, 1))
}
/** ⌊⌊R / c⌋ / by⌋ = ⌊R / (c · by)⌋, and ⌊(R mod c) / by⌋ = ⌊R / by⌋ mod (c / by) if that is whole. */
function divisionAgain(atom: Expr, by: number): Linear | undefined {
  const inner = divisions.get(atom)
  if (inner === undefined || atom.op !== 'binary') return undefined
  if (atom.fn === 'floorDiv') return division('floorDiv', inner.of, inner.by * by)
  // Quotients of what may be negative take more instructions.
  if (inner.by % by !== 0 || rangeOf(inner.of)[0] < 0) return undefined
  return linearOf(indexMod(indexDiv(exprOf(inner.of), by), inner.by / by))
}
/** x − by · ⌊x / by⌋. */
export function indexMod(x: Expr, by: number): Expr {
  if (by === 1) return i32(0)
  const { rest } = divided(linearOf(x), by)
  const [low, high] = rangeOf(rest)
  if (low >= 0 && high < by) return exprOf(rest)
  // k · (R mod c) differs from k · R by a multiple of k · c.
  for (const { atom, coefficient } of rest.terms.values()) {
    const inner = divisions.get(atom)
    if (inner === undefined || atom.op !== 'binary' || atom.fn !== 'floorMod' || (coefficient * inner.by) % by !== 0)
      continue
    const without = combine(rest, linearOf(atom), -coefficient)
    return indexMod(exprOf(combine(without, inner.of, coefficient)), by)
  }
  return exprOf(division('floorMod', rest, by))
}

/** The row-major place of coordinates. */
export function flatIndex(index: readonly Expr[], shape: readonly number[]): Expr {
  let stride = 1
  const parts: Expr[] = []
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1) parts.unshift(indexMul(index[axis]!, stride))
    stride *= shape[axis]!
  }
  return indexAdd(...parts)
}
/** The coordinates of a row-major place. */
export function unflatten(flat: Expr, shape: readonly number[]): Expr[] {
  const index: Expr[] = new Array<Expr>(shape.length)
  let rest = flat
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = Math.max(1, shape[axis]!)
    index[axis] = axis === 0 ? rest : indexMod(rest, size)
    rest = indexDiv(rest, size)
  }
  return index
}

/** The atoms of an index and what each is multiplied by; none of an expression that this file did not make. */
export const termsOf = (x: Expr): readonly { readonly atom: Expr; readonly coefficient: number }[] => [
  ...(linears.get(x)?.terms.values() ?? []),
]
/** Whether an expression is index arithmetic: what printers read strides off. */
export const isIndex = (x: Expr): boolean =>
  x.op === 'var' || (x.op === 'const' && x.type === 'i32') || linears.has(x) || divisions.has(x)
/** An index as coefficient · variable + rest, where the rest does not depend on the variable; `undefined` if it is not linear in it. */
export function linearIn(x: Expr, v: LoopVar): { readonly coefficient: number; readonly rest: Expr } | undefined {
  const linear = linearOf(x)
  const key = keyOf({ op: 'var', type: 'i32', variable: v })
  const terms: Terms = new Map(linear.terms)
  const coefficient = terms.get(key)?.coefficient ?? 0
  terms.delete(key)
  for (const { atom } of terms.values()) if (mentions(atom, v)) return undefined
  return { coefficient, rest: exprOf({ constant: linear.constant, terms }) }
}
/**
 * An index with another expression for each of its atoms (variables, loads, quotients and the like), or for what a quotient or a remainder
 * is of; canonical again. `undefined` for an expression that this file did not make.
 */
export function mapAtoms(x: Expr, replace: (atom: Expr) => Expr): Expr | undefined {
  const division = divisions.get(x)
  if (division !== undefined) {
    const before = exprOf(division.of)
    const of = replace(before)
    if (of === before) return x
    return x.op === 'binary' && x.fn === 'floorMod' ? indexMod(of, division.by) : indexDiv(of, division.by)
  }
  const linear = linears.get(x)
  if (linear === undefined) return undefined
  const terms = [...linear.terms.values()]
  const atoms = terms.map(({ atom }) => replace(atom))
  if (atoms.every((atom, at) => atom === terms[at]!.atom)) return x
  return indexAdd(linear.constant, ...terms.map(({ coefficient }, at) => indexMul(atoms[at]!, coefficient)))
}
/** Whether an expression depends on a loop variable. */
export function mentions(x: Expr, v: LoopVar): boolean {
  switch (x.op) {
    case 'const':
    case 'local':
      return false
    case 'var':
      return x.variable === v
    case 'load':
      return mentions(x.index, v)
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'narrow':
      return mentions(x.x, v)
    case 'binary':
    case 'compare':
      return mentions(x.x, v) || mentions(x.y, v)
    case 'fma':
      return mentions(x.x, v) || mentions(x.y, v) || mentions(x.z, v)
    case 'select':
      return mentions(x.condition, v) || mentions(x.x, v) || mentions(x.y, v)
    case 'call':
    case 'host':
      return x.args.some((arg) => mentions(arg, v))
  }
}
