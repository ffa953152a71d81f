/** Writes scalar functions of f32 that have loops and branches. Numbers stand for constants. */
import {
  abs,
  add,
  and,
  assign,
  div,
  eq,
  f32,
  ge,
  gt,
  le,
  local,
  lt,
  mul,
  ne,
  neg,
  or,
  sub,
  u32,
  unary,
  when,
  whilst,
} from '../../loops/build.ts'
import { type Expr, Local, type ScalarFunction, type Stmt } from '../../loops/ir.ts'
import { magnitudeBits } from '../bits.ts'
import { exp as expOf } from '../exponential.ts'
import { log as logOf, log1p as log1pOf } from '../logarithm.ts'
import { pow as powOf } from '../power.ts'
import { sin as sinOf, tan as tanOf } from '../trigonometric.ts'

export type Operand = Expr | number
const of = (x: Operand): Expr => (typeof x === 'number' ? f32(x) : x)
const chain =
  (f: (x: Expr, y: Expr) => Expr) =>
  (first: Operand, ...others: readonly Operand[]): Expr =>
    others.reduce<Expr>((x, y) => f(x, of(y)), of(first))
type Chain = (first: Operand, ...others: readonly Operand[]) => Expr
type Test = (x: Operand, y: Operand) => Expr
const test =
  (f: (x: Expr, y: Expr) => Expr): Test =>
  (x, y) =>
    f(of(x), of(y))
export const plus: Chain = chain(add)
export const minus: Chain = chain(sub)
export const times: Chain = chain(mul)
export const over: Chain = chain(div)
export const both: Chain = chain(and)
export const either: Chain = chain(or)
export const less: Test = test(lt)
export const atMost: Test = test(le)
export const greater: Test = test(gt)
export const atLeast: Test = test(ge)
export const equal: Test = test(eq)
export const differs: Test = test(ne)
export const minusOf = (x: Expr): Expr => neg(x)
export const size = (x: Expr): Expr => abs(x)
export const floor = (x: Expr): Expr => unary('floor', x)
export const nearest = (x: Expr): Expr => unary('nearest', x)
export const root = (x: Expr): Expr => unary('sqrt', x)
export const isWhole = (x: Expr): Expr => eq(unary('floor', x), x)
export const isNaN = (x: Expr): Expr => gt(magnitudeBits(x), u32(0x7f800000))

/** A variable of a function that is being written. */
export interface Variable {
  /** What it is where a statement uses this. */
  readonly now: Expr
  set(value: Operand): void
}
export class Writer {
  body: Stmt[] = []
  /** Declare a variable. */
  let(name: string, value: Operand): Variable {
    const variable = new Local(name, 'f32')
    const set = (to: Operand): void => void this.body.push(assign(variable, of(to)))
    set(value)
    return { now: local(variable), set }
  }
  #block(write: () => void): Stmt[] {
    const outer = this.body
    this.body = []
    write()
    const inner = this.body
    this.body = outer
    return inner
  }
  if(condition: Expr, yes: () => void, no: () => void = () => {}): void {
    this.body.push(when(condition, this.#block(yes), this.#block(no)))
  }
  /** The first case whose condition holds, or else the last. */
  cases(list: readonly (readonly [condition: Expr, write: () => void])[], otherwise: () => void): void {
    const [first, ...rest] = list
    if (first === undefined) otherwise()
    else this.if(first[0], first[1], () => this.cases(rest, otherwise))
  }
  while(condition: Expr, write: () => void): void {
    this.body.push(whilst(condition, this.#block(write)))
  }
}

/** A function, as what calls it. */
export function define<Args extends readonly Expr[]>(
  name: string,
  params: { readonly [K in keyof Args]: string },
  write: (writer: Writer, ...args: Args) => Expr,
): (...args: { [K in keyof Args]: Operand }) => Expr {
  const locals = params.map((param) => new Local(param, 'f32'))
  let callee: ScalarFunction | undefined
  return (...args) => {
    if (callee === undefined) {
      const writer = new Writer()
      const result = write(writer, ...(locals.map(local) as readonly Expr[] as Args))
      callee = { name, params: locals, body: writer.body, result }
    }
    return { op: 'call', type: 'f32', callee, args: args.map(of) }
  }
}
type Function1 = (x: Operand) => Expr
const named = (name: string, f: (x: Expr) => Expr): Function1 => define<[Expr]>(name, ['x'], (_, x) => f(x))
/** As functions of their own: their expansions are long. */
export const exp: Function1 = named('f32_exp', expOf)
export const log: Function1 = named('f32_log', logOf)
export const log1p: Function1 = named('f32_log1p', log1pOf)
export const sin: Function1 = named('f32_sin', sinOf)
export const tan: Function1 = named('f32_tan', tanOf)
export const pow: (x: Operand, y: Operand) => Expr = define<[Expr, Expr]>('f32_pow', ['x', 'y'], (_, x, y) =>
  powOf(x, y),
)
