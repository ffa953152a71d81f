/**
 * The meaning of kernels: runs them on host arrays, exactly and strictly. What a printer may assume, and what programs must not do, is
 * checked here: accesses in bounds, divisors other than 0, values that fit their buffers.
 */
import { type TypedArray, invariant } from '@fluxion/core'
import { identity } from './build.ts'
import type { Buffer, Combine, Expr, Kernel, Local, LoopVar, ScalarFunction, ScalarType, Stmt } from './ir.ts'
import { binaryOps, bitcasts, combineOps, compareOps, conversion, narrowing, unaryOp } from './scalars.ts'
import { children, expressionsOf, functionsOf, walkStatements } from './visit.ts'

/** Functions that `host` expressions name. */
export type HostFunctions = Readonly<Record<string, (...args: number[]) => number>>

const compiled = new WeakMap<Kernel, Compiled>()

/**
 * Run a kernel.
 *
 * @param args an array for each of the kernel's parameters, as host arrays hold their dtypes
 * @param offsets the element of each array at which the parameter begins; 0 unless given
 * @param host functions by name; JavaScript's `Math` has the others
 * @throws InvariantError where the kernel breaks a rule of the IR
 */
export function interpretKernel(
  kernel: Kernel,
  args: readonly TypedArray[],
  offsets: readonly number[] = [],
  host: HostFunctions = {},
): void {
  kernel.params.forEach((buffer, at) => {
    const [size, offset] = [args[at]?.length ?? -1, offsets[at] ?? 0]
    invariant(
      offset >= 0 && offset + buffer.length <= size,
      () => `${kernel.name}: ${buffer.name} has ${buffer.length} elements from ${offset} on, got an array of ${size}`,
    )
  })
  let run = compiled.get(kernel)
  if (run === undefined) compiled.set(kernel, (run = new Compiled(kernel)))
  run.run(args, offsets, host)
}

type Value = () => number
type Run = () => void

/** A kernel as closures over one set of variables: so that running it does not look at the tree again. */
class Compiled {
  readonly #kernel: Kernel
  readonly #body: Run
  /** Variables and locals by number. */
  readonly #values: number[] = []
  readonly #numbers = new Map<LoopVar | Local, number>()
  /** Expressions with several uses are computed once a statement: `#now` is the statement's time, `#clock` the latest. */
  readonly #shared: ReadonlySet<Expr>
  readonly #memo = new Map<Expr, Value>()
  #now = 0
  #clock = 0
  readonly #functions = new Map<ScalarFunction, (args: readonly number[]) => number>()
  #arrays: readonly TypedArray[] = []
  #offsets: readonly number[] = []
  #host: HostFunctions = {}

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#shared = sharedIn(kernel)
    this.#body = this.#kernelBody(kernel)
  }
  run(args: readonly TypedArray[], offsets: readonly number[], host: HostFunctions): void {
    this.#arrays = args
    this.#offsets = args.map((_, at) => offsets[at] ?? 0)
    this.#host = host
    try {
      this.#body()
    } finally {
      this.#arrays = []
    }
  }

  #kernelBody(kernel: Kernel): Run {
    const body = this.#statements(kernel.body)
    if (kernel.kind === 'nest') return this.#loops(kernel.grid, body)
    // A product of floats is not rounded before it is added: the sum is rounded once.
    const { left, right, sum, inner, batch, rows, columns } = kernel
    const [l, r] = [this.#value(left), this.#value(right)]
    const value: Value =
      sum.type === 'bool' ? () => l() & r() : isFloat(sum.type) ? () => l() * r() : () => Math.imul(l(), r())
    const combine = sum.type === 'bool' ? 'or' : 'add'
    const reduce = this.#reduce(inner, [{ into: sum, combine, value }])
    return this.#loops([...batch, ...rows, ...columns], () => {
      reduce()
      body()
    })
  }
  #loops(variables: readonly LoopVar[], body: Run): Run {
    const values = this.#values
    return variables.reduceRight<Run>((inner, variable) => {
      const at = this.#number(variable)
      return () => {
        for (let i = 0; i < variable.extent; i++) {
          values[at] = i
          inner()
        }
      }
    }, body)
  }
  #number(of: LoopVar | Local): number {
    let number = this.#numbers.get(of)
    if (number === undefined) {
      this.#numbers.set(of, (number = this.#values.length))
      this.#values.push(0)
    }
    return number
  }
  #fail(message: string): never {
    invariant(false, `${this.#kernel.name}: ${message}`)
  }

  #statements(body: readonly Stmt[]): Run {
    const runs = body.map((statement) => this.#statement(statement))
    const [first, second] = runs
    if (runs.length === 1) return first!
    if (runs.length === 2) {
      return () => {
        first!()
        second!()
      }
    }
    return () => {
      for (const run of runs) run()
    }
  }
  #statement(statement: Stmt): Run {
    const values = this.#values
    switch (statement.op) {
      case 'for': {
        const { variable, body } = statement
        const at = this.#number(variable)
        const [extent, inner] = [this.#used(statement.extent), this.#statements(body)]
        return () => {
          const end = extent()
          if (end > variable.extent) this.#fail(`${variable.name} runs to ${end}, at most ${variable.extent}`)
          for (let i = 0; i < end; i++) {
            values[at] = i
            inner()
          }
        }
      }
      case 'while': {
        const [condition, inner] = [this.#used(statement.condition), this.#statements(statement.body)]
        return () => {
          while (condition() !== 0) inner()
        }
      }
      case 'if': {
        const condition = this.#used(statement.condition)
        const [yes, no] = [this.#statements(statement.yes), this.#statements(statement.no)]
        return () => (condition() !== 0 ? yes() : no())
      }
      case 'assign': {
        const [at, value] = [this.#number(statement.local), this.#used(statement.value)]
        return () => void (values[at] = value())
      }
      case 'store':
        return this.#write(statement.buffer, statement.index, statement.value)
      case 'update': {
        const { buffer, index, value, combine } = statement
        const apply = combineOps(combine, value.type)
        const narrow = narrowing(buffer.dtype)
        return this.#write(buffer, index, value, (before, x) => narrow(apply(before, x)))
      }
      case 'reduce': {
        const accumulators = statement.accumulators.map(({ into, combine, value }) => ({
          into,
          combine,
          value: this.#value(value),
        }))
        return this.#reduce(statement.variables, accumulators)
      }
    }
  }
  /** Store a value, or what `combine` makes of it and what is there. */
  #write(buffer: Buffer, index: Expr, value: Expr, combine?: (before: number, x: number) => number): Run {
    const [place, x] = [this.#place(buffer, index), this.#value(value)]
    const param = this.#kernel.params.indexOf(buffer)
    const narrow = narrowing(buffer.dtype)
    return () => {
      this.#now = ++this.#clock
      const [at, given] = [place(), x()]
      const data = this.#arrays[param]!
      const result = combine === undefined ? given : combine(data[at]!, given)
      if (narrow(result) !== result && !Number.isNaN(result)) {
        this.#fail(`${buffer.name} holds ${buffer.dtype}, got ${result}`)
      }
      data[at] = result
    }
  }
  #reduce(
    variables: readonly LoopVar[],
    accumulators: readonly { into: Local; combine: Combine; value: Value }[],
  ): Run {
    const values = this.#values
    const folds = accumulators.map(({ into, combine, value }) => ({
      at: this.#number(into),
      fold: fold(combine, into.type),
      value,
    }))
    const turn: Run = () => {
      this.#now = ++this.#clock
      for (const { fold, value } of folds) fold.take(value())
    }
    const loops = this.#loops(variables, turn)
    return () => {
      for (const { fold } of folds) fold.start()
      loops()
      for (const { at, fold } of folds) values[at] = fold.result()
    }
  }

  /** An expression as a statement uses it: with the values of now. */
  #used(x: Expr): Value {
    const value = this.#value(x)
    return () => {
      this.#now = ++this.#clock
      return value()
    }
  }
  #value(x: Expr): Value {
    if (!this.#shared.has(x)) return this.#compute(x)
    let value = this.#memo.get(x)
    if (value === undefined) {
      const compute = this.#compute(x)
      let [time, known] = [-1, 0]
      value = () => {
        if (time !== this.#now) {
          known = compute()
          time = this.#now
        }
        return known
      }
      this.#memo.set(x, value)
    }
    return value
  }
  #compute(x: Expr): Value {
    const values = this.#values
    switch (x.op) {
      case 'const': {
        const { value } = x
        return () => value
      }
      case 'var':
      case 'local': {
        const at = this.#number(x.op === 'var' ? x.variable : x.local)
        return () => values[at]!
      }
      case 'load': {
        const place = this.#place(x.buffer, x.index)
        const param = this.#kernel.params.indexOf(x.buffer)
        return () => this.#arrays[param]![place()]!
      }
      case 'unary': {
        const [f, a] = [unaryOp(x.fn, x.type), this.#value(x.x)]
        return () => f(a())
      }
      case 'binary': {
        const [f, a, b] = [binaryOps(x.fn, x.type), this.#value(x.x), this.#value(x.y)]
        return () => f(a(), b())
      }
      case 'compare': {
        const [f, a, b] = [compareOps[x.fn], this.#value(x.x), this.#value(x.y)]
        return () => (f(a(), b()) ? 1 : 0)
      }
      case 'fma': {
        const [a, b, c] = [this.#value(x.x), this.#value(x.y), this.#value(x.z)]
        return x.type === 'f64' ? () => a() * b() + c() : () => Math.fround(Math.fround(a() * b()) + c())
      }
      case 'select': {
        // Both sides, since printers may: one that must not be computed fails here too.
        const [condition, yes, no] = [this.#value(x.condition), this.#value(x.x), this.#value(x.y)]
        return () => {
          const [a, b] = [yes(), no()]
          return condition() !== 0 ? a : b
        }
      }
      case 'convert': {
        const [f, a] = [conversion(x.x.type, x.type), this.#value(x.x)]
        return () => f(a())
      }
      case 'bitcast': {
        const [f, a] = [bitcasts(x.x.type, x.type), this.#value(x.x)]
        return () => f(a())
      }
      case 'narrow': {
        const [f, a] = [narrowing(x.dtype), this.#value(x.x)]
        return () => f(a())
      }
      case 'call': {
        const [f, args] = [this.#function(x.callee), x.args.map((arg) => this.#value(arg))]
        return () => f(args.map((arg) => arg()))
      }
      case 'host': {
        const { fn } = x
        const args = x.args.map((arg) => this.#value(arg))
        return () => {
          const f = this.#host[fn] ?? (Reflect.get(Math, fn) as HostFunctions[string] | undefined)
          if (f === undefined) this.#fail(`the host has no function '${fn}'`)
          return f(...args.map((arg) => arg()))
        }
      }
    }
  }
  /** Where an element of a buffer lies in the argument's array. */
  #place(buffer: Buffer, index: Expr): Value {
    const [param, at] = [this.#kernel.params.indexOf(buffer), this.#value(index)]
    if (param < 0) this.#fail(`${buffer.name} is not among the parameters`)
    return () => {
      const element = at()
      if (!(element >= 0 && element < buffer.length)) {
        this.#fail(`${buffer.name} has ${buffer.length} elements, got the index ${element}`)
      }
      return this.#offsets[param]! + element
    }
  }
  #function(callee: ScalarFunction): (args: readonly number[]) => number {
    let run = this.#functions.get(callee)
    if (run === undefined) {
      const params = callee.params.map((param) => this.#number(param))
      const [body, result] = [this.#statements(callee.body), this.#used(callee.result)]
      run = (args) => {
        const outside = this.#now
        params.forEach((param, at) => (this.#values[param] = args[at]!))
        body()
        const value = result()
        this.#now = outside
        return value
      }
      this.#functions.set(callee, run)
    }
    return run
  }
}

const isFloat = (type: ScalarType): boolean => type === 'f32' || type === 'f64'

interface Fold {
  start(): void
  take(x: number): void
  result(): number
}
/** Sums and products of f32 run in float64; sums of f64 carry what each addition loses (Neumaier's summation). */
function fold(combine: Combine, type: ScalarType): Fold {
  const first = identity(combine, type, type === 'u32' ? 'uint32' : 'int32').value
  const wide = isFloat(type) && (combine === 'add' || combine === 'mul')
  const apply = combineOps(combine, wide ? 'f64' : type)
  const compensated = type === 'f64' && combine === 'add'
  let [total, lost] = [first, 0]
  return {
    start() {
      ;[total, lost] = [first, 0]
    },
    take(x) {
      const next = apply(total, x)
      if (compensated) lost += Math.abs(total) >= Math.abs(x) ? total - next + x : x - next + total
      total = next
    },
    result() {
      if (type === 'f32') return Math.fround(total)
      // Once a sum is infinite, what was lost on the way is not a number.
      return compensated && Number.isFinite(lost) ? total + lost : total
    },
  }
}

/** Expressions with several uses, whose value is kept while a statement is computed. */
function sharedIn(kernel: Kernel): ReadonlySet<Expr> {
  const plain = new Set(['const', 'var', 'local'])
  const [used, shared] = [new Set<Expr>(), new Set<Expr>()]
  const use = (x: Expr): void => {
    if (plain.has(x.op)) return
    if (used.has(x)) {
      shared.add(x)
      return
    }
    used.add(x)
    children(x).forEach(use)
  }
  const useAll = (body: readonly Stmt[]): void =>
    walkStatements(body, (statement) => expressionsOf(statement).forEach(use))
  if (kernel.kind === 'product') [kernel.left, kernel.right].forEach(use)
  useAll(kernel.body)
  for (const { body, result } of functionsOf(kernel)) {
    useAll(body)
    use(result)
  }
  return shared
}
