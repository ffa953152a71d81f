/**
 * Tracing: `bind` hands every operation to the current trace, of which there is exactly one. A trace either runs the operation
 * (`EvalTrace`), writes it down, or rewrites it into operations on its parent's values.
 */
import { ConcreteArray, NDArray, type NestedNumbers } from './array.ts'
import { backend } from './backend/devices.ts'
import type { Backend, Buffer, HostArray, TypedArray } from './backend/interface.ts'
import { allocate, roundTo } from './backend/reference/host.ts'
import { type DType, isFloat } from './dtype.ts'
import { ConcretizationError, LeakedTracerError, MissingRuleError, NonFiniteError } from './errors.ts'
import { aval, showAval } from './ir/aval.ts'
import type { AnyPrimitive, Primitive } from './primitive/define.ts'

export abstract class Trace {
  /** What the user calls this trace, for messages: `jit`, `grad`, `vmap`. */
  readonly what: string
  alive = true
  constructor(what: string) {
    this.what = what
  }
  abstract process(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[]

  /** An operation that a `linearize` rule made of tangents; other traces than those of tangents treat it as any other. */
  processLinear(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    return this.process(primitive, args, params)
  }

  /** Run `f` with this as the current trace. */
  run<T>(f: () => T): T {
    const outer = current
    current = this
    try {
      return f()
    } finally {
      current = outer
    }
  }
  /** The same for a rule of a transformation, whose operations are not the user's own. */
  runRule<T>(f: () => T): T {
    ruleDepth++
    try {
      return this.run(f)
    } finally {
      ruleDepth--
    }
  }
  /** The same, ending this trace: its tracers are leaks from then on. */
  runLast<T>(f: () => T): T {
    try {
      return this.run(f)
    } finally {
      this.alive = false
    }
  }
}

/** A value inside a trace: shape and dtype are known, elements are not. */
export abstract class Tracer extends NDArray {
  /** The trace that it belongs to. */
  readonly owner: Trace
  /** Where it was made, and in the words of the user which argument it is, if it is one. */
  readonly origin: Error
  readonly label: string | undefined

  constructor(trace: Trace, label?: string) {
    super()
    this.owner = trace
    this.label = label
    this.origin = ruleDepth === 0 ? deepStack('made here') : new Error('made here')
  }

  override get hasValue(): boolean {
    return false
  }
  #refuse(use: string): never {
    const which = this.label === undefined ? '' : ` It comes from ${this.label}.`
    throw new ConcretizationError(
      `${use} asks for the value of ${this.toString()}, which has none: it is being traced by ${this.owner.what}.${which}\n` +
        'hint: use np.where, lax.cond or lax.whileLoop on traced values, or mark the argument static (staticArgnums); compare with x.gt(y), not x > y',
    )
  }
  override dataSync(): TypedArray {
    return this.#refuse('dataSync()')
  }
  override data(): Promise<TypedArray> {
    return this.#refuse('data()')
  }
  override item(): number {
    return this.#refuse('item()')
  }
  override valueOf(): number {
    return this.#refuse('a JavaScript operator or coercion')
  }
  override [Symbol.toPrimitive](hint: string): number | string {
    return this.#refuse(
      hint === 'string' ? 'a template string or coercion to text' : 'a JavaScript operator or coercion',
    )
  }
  override toJSON(): NestedNumbers {
    return this.#refuse('JSON or toArray()')
  }
  override dispose(): void {
    // Scopes that dispose of arrays may be traced too; a tracer holds no memory.
  }
  override toString(): string {
    return `Traced<${this.aval.dtype}[${this.aval.shape.join(',')}]>`
  }
}

/** Refuse a tracer whose function has returned. */
export function assertLive(x: NDArray): void {
  if (!(x instanceof Tracer) || x.owner.alive) return
  const made = placeOf(x.origin)
  throw new LeakedTracerError(
    `${x.toString()} was used after the function traced by ${x.owner.what} had returned${made === '' ? '' : `; it was made${made}`}\n` +
      'hint: return values from the traced function instead of keeping them in outer variables',
  )
}
// Stacks name files by their address or by their path, as the runtime and its loaders like.
const here = import.meta.url.slice(0, import.meta.url.lastIndexOf('/')).replace(/^file:\/\//, '')
/** Whether a line of a stack lies in Fluxion's core, or in the engine's own functions, and so says nothing to the user. */
export const internal = (line: string): boolean =>
  (line.includes(here) && !/\.test\.[jt]s/.test(line)) || line.includes('(<anonymous>)')

/** The trace under all others: runs each operation at once on the default back end. */
class EvalTrace extends Trace {
  override process(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    const direct = primitive.direct?.(args, params as never)
    if (direct !== undefined) return direct
    const concrete = args.map(concreteOf)
    const outs = primitive.type(
      args.map((arg) => arg.aval),
      params as never,
    )
    const on = backend()
    const buffers = on.apply(
      primitive,
      concrete.map((arg) => bufferOn(on, arg)),
      concrete.map((arg) => arg.aval),
      outs,
      params,
    )
    const results = buffers.map((buffer, i) => new ConcreteArray(outs[i]!, buffer))
    refuseNans(primitive.name, results)
    return results
  }
}

let findNans = false
/**
 * Run `f` so that an operation which gives a NaN is an error that names it. Operations inside of `jit` are checked as one, by the results of
 * the call; with `disableJit`, each for itself.
 *
 * @throws NonFiniteError at the first NaN
 * @example
 * ```ts
 * import { debugNans, np } from 'fluxion'
 * debugNans(() => np.log(-1)) // => NonFiniteError: log: gave NaN
 * ```
 */
export function debugNans<T>(f: () => T): T {
  const before = findNans
  findNans = true
  try {
    return f()
  } finally {
    findNans = before
  }
}
/** Throw if a NaN is among results and they are being watched. */
export function refuseNans(name: string, results: readonly ConcreteArray[]): void {
  if (!findNans) return
  for (const result of results) {
    const at = isFloat(result.dtype) ? result.host.data.findIndex(Number.isNaN) : -1
    if (at >= 0) {
      throw new NonFiniteError(
        `${name}: gave NaN at element ${at} of ${showAval(result.aval)}\nhint: jitted functions are checked by their results only; disableJit(() => …) leads to the operation`,
      )
    }
  }
}

/** An array's buffer on a back end: moved there if it lives on another one. */
export function bufferOn(on: Backend, x: ConcreteArray): Buffer {
  if (x.buffer.backend !== on) x.move(on.put(x.host))
  return x.buffer
}

/** A concrete array, or the error that says why it is none. */
export function concreteOf(x: NDArray): ConcreteArray {
  if (x instanceof ConcreteArray) return x
  assertLive(x)
  throw new LeakedTracerError(
    `${x.toString()} was used outside of the function traced by ${x instanceof Tracer ? x.owner.what : 'nobody'}`,
  )
}

let ruleDepth = 0
const evalTrace = new EvalTrace('nobody')
let current: Trace = evalTrace
/** Run host code that a program calls, which sees values whatever is being traced. */
export const outOfTrace = <T>(f: () => T): T => evalTrace.run(f)
export const currentTrace = (): Trace => current

/** Perform an operation under the current trace. */
export function bind<P extends object>(
  primitive: Primitive<P>,
  args: readonly NDArray[],
  params: P,
): readonly NDArray[] {
  for (const arg of args) arg.used = true
  const outs = current.process(primitive as AnyPrimitive, args, params)
  if (ruleDepth === 0 && outs.length === 1) noteCondition(primitive.name, args, outs[0]!)
  return outs
}
/** Perform an operation that a `linearize` rule made, and that is linear in its tangents as it stands. */
export const bindLinear = <P extends object>(
  primitive: Primitive<P>,
  args: readonly NDArray[],
  params: P,
): readonly NDArray[] => current.processLinear(primitive as AnyPrimitive, args, params)
/** The same as `bind`, for operations with one result. */
export const bind1 = <P extends object>(primitive: Primitive<P>, args: readonly NDArray[], params: P): NDArray =>
  bind(primitive, args, params)[0]!

// JavaScript calls nobody when an object stands as a condition, so `if (x.gt(0))` takes its first branch silently. A scalar comparison of
// traced values that nothing uses was almost surely meant so; a trace that ends warns of it.
const comparisons = new Set([
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'not',
  'and',
  'or',
  'is_finite',
  'reduce_and',
  'reduce_or',
])
interface Condition {
  readonly result: NDArray
  readonly name: string
  readonly place: Error
}
let conditions: Condition[] = []
function noteCondition(name: string, args: readonly NDArray[], result: NDArray): void {
  if (
    result.dtype !== 'bool' ||
    result.ndim !== 0 ||
    !comparisons.has(name) ||
    !args.some((arg) => arg instanceof Tracer)
  )
    return
  conditions.push({ result, name, place: deepStack('compared here') })
}

/** Run a user's function that is being traced, and warn of comparisons whose results it did not use. */
export function withConditions<T>(what: string, f: () => T): T {
  const outer = conditions
  conditions = []
  try {
    const result = f()
    for (const { result: compared, name, place } of conditions) {
      if (!compared.used)
        warn(
          `${what}: the result of a comparison (${name}) of traced values is not used${placeOf(place)}; as a condition of if, ?: or && it is always true\nhint: use np.where or lax.cond`,
        )
    }
    return result
  } finally {
    conditions = outer
  }
}
let warn: (message: string) => void = (message) => console.warn(`fluxion: ${message}`)
/** Warn of a use that is probably not meant. */
export const issueWarning = (message: string): void => warn(message)
/** Send warnings elsewhere than to the console; gives the function that received them before. */
export function onWarning(handler: (message: string) => void): (message: string) => void {
  const before = warn
  warn = handler
  return before
}
/** A stack that reaches through the functions of the core to the user's line: engines stop after ten calls by default. */
function deepStack(message: string): Error {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = Math.max(limit, 24)
  try {
    return new Error(message)
  } finally {
    Error.stackTraceLimit = limit
  }
}
/** The line of the user's that a stack leads to. */
export function placeOf({ stack }: Error): string {
  const line = (stack ?? '').split('\n').find((text) => /^\s+at .*[:/]/.test(text) && !internal(text))
  return line === undefined ? '' : line.replace(/^\s+at/, ' at')
}

/** The rule of a primitive, or the error that names what is missing. */
export function ruleOf<K extends 'jvp' | 'transpose' | 'batch'>(
  primitive: AnyPrimitive,
  rule: K,
): NonNullable<Primitive[K]> {
  const found = primitive[rule]
  if (found === undefined) throw new MissingRuleError(`${primitive.name}: there is no ${rule} rule for this primitive`)
  return found as unknown as NonNullable<Primitive[K]>
}

/** An array from elements on the host; `data` is taken over, not copied. */
export const fromHost = (host: HostArray, weakType = false): ConcreteArray =>
  new ConcreteArray(aval(host.shape, host.dtype, weakType), backend().put(host))

/** A concrete scalar; written into programs as a literal when staged out. */
export function scalar(value: number, dtype: DType, weakType = false): ConcreteArray {
  const data = allocate(dtype, 1)
  data[0] = value
  const host = { shape: [], dtype, data: roundTo(dtype, data) }
  return new ConcreteArray(aval([], dtype, weakType), backend().put(host), data[0])
}

// Axes named by enclosing `vmap`s, for the collectives.
const axes: { name: string; size: number }[] = []
export const namedAxes = (): readonly { readonly name: string; readonly size: number }[] => axes
/** The size of a named axis. */
export function axisSizeOf(where: string, name: string): number {
  const found = axes.findLast((axis) => axis.name === name)
  if (found === undefined) {
    throw new MissingRuleError(
      `${where}: no enclosing vmap names an axis '${name}'\nhint: vmap(f, { axisName: '${name}' })`,
    )
  }
  return found.size
}
export function withAxis<T>(name: string | undefined, size: number, f: () => T): T {
  if (name === undefined) return f()
  axes.push({ name, size })
  try {
    return f()
  } finally {
    axes.pop()
  }
}

export const showArg = (x: NDArray): string => showAval(x.aval)

const copies = Symbol.for('fluxion.core')
const registry = globalThis as { [copies]?: string }
if (registry[copies] !== undefined && registry[copies] !== import.meta.url) {
  throw new Error(
    `two copies of @fluxion/core are loaded: ${registry[copies]} and ${import.meta.url}\nhint: let every package depend on one version (npm ls @fluxion/core)`,
  )
}
registry[copies] = import.meta.url
