/** Makes JavaScript of expressions of f32, fast enough to try millions of numbers on. */
import { local } from '../loops/build.ts'
import { type Expr, Local, type ScalarFunction, type Stmt } from '../loops/ir.ts'
import { children } from '../loops/visit.ts'

/** How `fma` rounds: both are allowed. */
export type Rounding = 'once' | 'twice'
export type F32Function = (...args: number[]) => number

/** What generated code calls beside `Math`. */
const prelude = `
const fround = Math.fround, f = new Float32Array(1), i = new Int32Array(f.buffer), u = new Uint32Array(f.buffer);
const nearest = (x) => { const a = Math.abs(x); if (!(a < 4503599627370496)) return x;
  const r = a + 4503599627370496 - 4503599627370496; return x < 0 || Object.is(x, -0) ? -r : r; };
const toI32 = (x) => x !== x ? 0 : Math.min(2147483647, Math.max(-2147483648, Math.trunc(x))) | 0;
const toU32 = (x) => x !== x ? 0 : Math.min(4294967295, Math.max(0, Math.trunc(x))) >>> 0;
const f32_i32 = (x) => (f[0] = x, i[0]), f32_u32 = (x) => (f[0] = x, u[0]);
const i32_f32 = (x) => (i[0] = x, f[0]), u32_f32 = (x) => (u[0] = x, f[0]);
const i32_u32 = (x) => x >>> 0, u32_i32 = (x) => x | 0;
`
const infix: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  rem: '%',
  and: '&',
  or: '|',
  xor: '^',
  shl: '<<',
  eq: '===',
  ne: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}

class Source {
  readonly lines: string[]
  readonly #functions: Map<ScalarFunction, string>
  readonly #rounding: Rounding
  readonly #locals = new Map<Local, string>()
  #count = 0
  constructor(rounding: Rounding, functions: Map<ScalarFunction, string>, lines: string[] = []) {
    this.#rounding = rounding
    this.#functions = functions
    this.lines = lines
  }
  nameOf(of: Local): string {
    let name = this.#locals.get(of)
    if (name === undefined) this.#locals.set(of, (name = `${of.name}_${this.#locals.size}`))
    return name
  }
  value(root: Expr): string {
    const memo = new Map<Expr, string>()
    const visit = (x: Expr): string => {
      let name = memo.get(x)
      if (name === undefined) {
        const text = this.#text(x, children(x).map(visit))
        if (x.op === 'const' || x.op === 'local') name = text
        else this.lines.push(`const ${(name = `t${this.#count++}`)} = ${text};`)
        memo.set(x, name)
      }
      return name
    }
    return visit(root)
  }
  #wrapped(type: Expr['type'], text: string): string {
    if (type === 'f32') return `fround(${text})`
    if (type === 'f64') return text
    return type === 'u32' ? `((${text}) >>> 0)` : type === 'i32' ? `((${text}) | 0)` : `((${text}) & 1)`
  }
  #text(x: Expr, [a = '', b = '', c = '', ...more]: readonly string[]): string {
    switch (x.op) {
      case 'const':
        return Object.is(x.value, -0) ? '(-0)' : `(${x.type === 'f32' ? Math.fround(x.value) : x.value})`
      case 'local':
        return this.nameOf(x.local)
      case 'unary':
        if (x.fn === 'neg') return this.#wrapped(x.type, `-${a}`)
        if (x.fn === 'not') return x.type === 'bool' ? `${a} ^ 1` : this.#wrapped(x.type, `~${a}`)
        if (x.fn === 'clz') return `Math.clz32(${a})`
        return this.#wrapped(x.type, x.fn === 'nearest' ? `nearest(${a})` : `Math.${x.fn}(${a})`)
      case 'binary': {
        const float = x.type === 'f32' || x.type === 'f64'
        if (x.fn === 'min' || x.fn === 'max') return `Math.${x.fn}(${a}, ${b})`
        if (x.fn === 'mul' && !float) return this.#wrapped(x.type, `Math.imul(${a}, ${b})`)
        if (x.fn === 'shr') return `(${a} ${x.type === 'i32' ? '>>' : '>>>'} ${b})`
        return this.#wrapped(x.type, `${a} ${infix[x.fn]} ${b}`)
      }
      case 'fma':
        return this.#rounding === 'once' ? `fround(${a} * ${b} + ${c})` : `fround(fround(${a} * ${b}) + ${c})`
      case 'compare':
        return `(${a} ${infix[x.fn]} ${b} ? 1 : 0)`
      case 'select':
        return `(${a} ? ${b} : ${c})`
      case 'convert': {
        const float = x.x.type === 'f32' || x.x.type === 'f64'
        if (x.type === 'bool') return `(${a} !== 0 ? 1 : 0)`
        if (float && (x.type === 'i32' || x.type === 'u32')) return `${x.type === 'i32' ? 'toI32' : 'toU32'}(${a})`
        return this.#wrapped(x.type, a)
      }
      case 'bitcast':
        return `${x.x.type}_${x.type}(${a})`
      case 'call':
        return `${this.#function(x.callee)}(${[a, b, c, ...more].slice(0, x.args.length).join(', ')})`
      default:
        throw new TypeError(`evaluate: ${x.op} is not among what these expressions are made of`)
    }
  }
  #function(callee: ScalarFunction): string {
    let name = this.#functions.get(callee)
    if (name === undefined) {
      name = `${callee.name}_${this.#functions.size}`
      this.#functions.set(callee, name)
      const inside = new Source(this.#rounding, this.#functions)
      const params = callee.params.map((param) => inside.nameOf(param))
      inside.statements(callee.body)
      const result = inside.value(callee.result)
      const declared = [...inside.#locals.values()].filter((local) => !params.includes(local))
      const names = declared.length === 0 ? '' : `let ${declared.join(', ')};`
      this.#functions.set(callee, name)
      definitions.set(
        name,
        `function ${name}(${params.join(', ')}) { ${names}\n${inside.lines.join('\n')}\nreturn ${result}; }`,
      )
    }
    return name
  }
  statements(body: readonly Stmt[]): void {
    for (const statement of body) this.#statement(statement)
  }
  #statement(statement: Stmt): void {
    const { lines } = this
    switch (statement.op) {
      case 'assign':
        lines.push(`${this.nameOf(statement.local)} = ${this.value(statement.value)};`)
        return
      case 'if':
        lines.push(`if (${this.value(statement.condition)}) {`)
        this.statements(statement.yes)
        lines.push('} else {')
        this.statements(statement.no)
        lines.push('}')
        return
      case 'while':
        lines.push('while (true) {')
        lines.push(`if (!${this.value(statement.condition)}) break;`)
        this.statements(statement.body)
        lines.push('}')
        return
      default:
        throw new TypeError(`evaluate: ${statement.op} is not among what these functions are made of`)
    }
  }
}
/** Sources of scalar functions by name. */
let definitions = new Map<string, string>()

/** The JavaScript function that an expression of so many f32s means. */
export function compiled(f: (...args: Expr[]) => Expr, rounding: Rounding, arity: number = f.length): F32Function {
  return new Function(`${prelude}\nreturn ${sourceOf(f, rounding, arity)}`)() as F32Function
}
function sourceOf(f: (...args: Expr[]) => Expr, rounding: Rounding, arity: number): string {
  definitions = new Map()
  const source = new Source(rounding, new Map())
  const params = Array.from({ length: arity }, (_, i) => new Local(`x${i}`, 'f32'))
  const names = params.map((param) => source.nameOf(param))
  const result = source.value(f(...params.map(local)))
  return `(() => { ${[...definitions.values()].join('\n')}
return (${names.join(', ')}) => { ${source.lines.join('\n')} return ${result}; } })()`
}
