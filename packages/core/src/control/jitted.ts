/** `jit` as users call it: traces a function once for each signature, and runs the compiled program from then on. */
import { ConcreteArray, NDArray } from '../array.ts'
import { type DeviceName, backend, backendNamed } from '../backend/devices.ts'
import type { Stage } from '../backend/interface.ts'
import { OptionError, checkOptions, misuse } from '../errors.ts'
import { FlatFunction, argumentSet, checkFunction, flattenArgs, holdArguments, nameOf } from '../flat.ts'
import { type Aval, avalKey, sameFullAval } from '../ir/aval.ts'
import type { ClosedJaxpr } from '../ir/jaxpr.ts'
import { printJaxpr } from '../ir/print.ts'
import { type TreeDef, collectLeaves, flattenAny, unflatten } from '../tree.ts'
import { Tracer, bind, namedAxes } from '../trace.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { closureConvert, stage } from '../transform/staging.ts'
import type { Argnums } from '../transform/autodiff.ts'
import type { Fn, Tree } from '../types.ts'
import { logs } from '../log.ts'
import { recording } from '../profiler/recording.ts'
import { jitPrimitive, traceTimes } from './jit.ts'
import { Retraces } from './retraces.ts'

export interface JitOptions {
  /** Arguments that are no arrays: the function is traced anew for each of their values, compared by `Object.is` or structurally. */
  staticArgnums?: Argnums
  /** Arguments whose memory the program may reuse: they cannot be used again. */
  donateArgnums?: Argnums
  /** The device to run on; by default the one that eager operations use. Arguments from elsewhere are moved; it must be open: see `setDevice`. */
  device?: DeviceName
  /** Write the operations of the function into an enclosing program, instead of a call. */
  inline?: boolean
}
export interface Lowered {
  /**
   * Print a stage of the compilation for the function's device: `jaxpr`, as traced, if not said otherwise; `optimised`; `loops`, steps and kernels;
   * `plan`, where in memory values are; `cost`; `wat` or `wgsl`, the code.
   *
   * @throws OptionError if the device has no such stage
   * @example
   * ```ts
   * import { jit, np } from 'fluxion'
   * const twice = jit((x) => x.mul(2).sum(), { device: 'wasm' }).lower(np.ones([3]))
   * twice.asText().split('\n')[0] // => '{ lambda ; a:f32[3]. let'
   * twice.asText('cost').split('\n')[0] // => '1 kernels launched'
   * twice.asText('wat').startsWith('(module') // => true
   * twice.asText('wgsl') // => OptionError: expected a stage of the device 'wasm', got 'wgsl'
   * ```
   */
  asText(stage?: Stage): string
}
export interface Jitted<A extends readonly unknown[], R> extends Fn<A, R> {
  /** Trace for these arguments without running. */
  lower(...args: A): Lowered
  /** How often the function has been traced. */
  readonly traces: number
  clearCache(): void
}

interface Traced {
  /** The structure and the types of the arguments that it was traced for. */
  readonly def: TreeDef
  readonly avals: readonly Aval[]
  readonly program: ClosedJaxpr
  readonly consts: readonly NDArray[]
  readonly outDef: TreeDef
  /** Operands that come from donated arguments, by number; one list for each trace. */
  readonly donated: readonly number[] | undefined
}
/** As many signatures of one function are remembered; the one least recently used is forgotten first. */
const cacheSize = 128

let disabled = false
export const jitDisabled = (): boolean => disabled
/** Run `f` with `jit` switched off: jitted functions and loops then run operation by operation, so that values can be looked at. */
export function disableJit<T>(f: () => T): T {
  const before = disabled
  disabled = true
  try {
    return f()
  } finally {
    disabled = before
  }
}

/** Static arguments by value: equal ones share a number. */
class StaticValues {
  readonly #known: unknown[] = []
  idOf(value: unknown): number {
    const at = this.#known.findIndex((other) => sameStatic(other, value))
    return at >= 0 ? at : this.#known.push(value) - 1
  }
}
function sameStatic(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || a.constructor !== b.constructor)
    return false
  if (!Array.isArray(a) && a.constructor !== Object) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) && sameStatic((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  )
}

type AnyFunction = (...args: never[]) => unknown

/**
 * Compile a function: it is traced once for each combination of tree structures, shapes, dtypes and static arguments, and the program
 * runs from then on. With `FLUXION_LOG=compile` each compilation prints a line, and a function that is traced again and again says what differed.
 *
 * @param f a pure function of trees of arrays
 * @throws ConcretizationError if `f` asks for the value of an argument; DeviceError if a donated array is used again
 * @example
 * ```ts
 * import { jit, np } from 'fluxion'
 * const f = jit((x) => np.tanh(x).sum())
 * f(np.zeros([3])).item() // => 0
 * f.traces // => 1
 * const slow = jit((x) => np.tanh(x).sum(), { device: 'reference' })
 * slow(np.zeros([3])).item() // => 0
 * ```
 */
export function jit<A extends readonly unknown[] = NDArray[], R extends Tree = Tree>(
  f: (...args: A) => R,
  options: JitOptions = {},
): Jitted<A, R> {
  checkFunction('jit', f)
  checkOptions('jit', options, ['staticArgnums', 'donateArgnums', 'device', 'inline'])
  const name = nameOf(f)
  const cache = new Map<string, Traced>()
  const statics = new StaticValues()
  let traces = 0
  const retraced = new Retraces(name)

  const split = (args: readonly unknown[]) => {
    const isStatic = argumentSet('jit', 'staticArgnums', options.staticArgnums, args.length)
    const { free: dynamic, whole } = holdArguments(args, isStatic)
    const staticKey = [...isStatic].map((i) => `${i}=${statics.idOf(args[i])}`).join()
    const call = ((...given: unknown[]) => (f as unknown as AnyFunction)(...(whole(given) as never[]))) as AnyFunction
    return { dynamic, staticKey, call }
  }
  /** The operands that the leaves of donated arguments are; those of dynamic arguments stand behind the constants. */
  const donatedOperands = (args: readonly unknown[], def: TreeDef, consts: number): number[] | undefined => {
    if (options.donateArgnums === undefined) return undefined
    const given = argumentSet('jit', 'donateArgnums', options.donateArgnums, args.length)
    const isStatic = argumentSet('jit', 'staticArgnums', options.staticArgnums, args.length)
    let [next, dynamic] = [consts, 0]
    return args.flatMap((_, i) => {
      if (isStatic.has(i)) return []
      const operands = Array.from({ length: def.children[dynamic++]!.leaves }, () => next++)
      return given.has(i) ? operands : []
    })
  }
  const traced = (args: readonly unknown[]): { leaves: NDArray[]; entry: Traced } => {
    const { dynamic, staticKey, call } = split(args)
    const { leaves, def, paths } = flattenArgs(name, dynamic)
    const key = [
      def.key,
      ...leaves.map((leaf) => avalKey(leaf.aval)),
      staticKey,
      ...namedAxes().map((axis) => `${axis.name}:${axis.size}`),
    ].join(';')
    let entry = cache.get(key)
    // What the function closed over may belong to a trace that has ended.
    if (entry?.consts.some((x) => x instanceof Tracer && !x.owner.alive) === true) entry = undefined
    if (entry === undefined) {
      traces++
      if (logs('compile')) retraced.note(traces, { def, leaves, paths, staticKey })
      const start = performance.now()
      const flat = new FlatFunction(`jit(${name})`, call, def)
      const [program, consts] = closureConvert(
        stage(
          `jit(${name})`,
          flat.call,
          leaves.map((leaf) => leaf.aval),
          paths,
        ),
      )
      entry = {
        def,
        avals: leaves.map((leaf) => leaf.aval),
        program,
        consts,
        outDef: flat.outDef,
        donated: donatedOperands(args, def, consts.length),
      }
      const end = performance.now()
      traceTimes.set(program.jaxpr, end - start)
      recording()?.add({ name: `trace jit(${name})`, category: 'trace', start, end })
    }
    cache.delete(key)
    cache.set(key, entry)
    if (cache.size > cacheSize) cache.delete(cache.keys().next().value!)
    return { leaves, entry }
  }
  let last: Traced | undefined
  /** The same for a call like the one before, which is what most calls are: no keys are made. */
  const tracedAgain = (args: readonly unknown[]): { leaves: NDArray[]; entry: Traced } => {
    if (last !== undefined && options.staticArgnums === undefined && namedAxes().length === 0) {
      const leaves: unknown[] = []
      if (collectLeaves(last.def, args, leaves) && fits(leaves, last)) return { leaves, entry: last }
    }
    const found = traced(args)
    last = found.entry
    return found
  }
  const wrapped = (...args: unknown[]): unknown => {
    if (disabled) {
      const { dynamic, call } = split(args)
      const { leaves, def } = flattenArgs(name, dynamic)
      return new FlatFunction(name, call, def).callTree(leaves)
    }
    const { leaves, entry } = tracedAgain(args)
    const operands = [...entry.consts, ...leaves]
    const outs =
      options.inline === true
        ? evalJaxpr(entry.program, operands)
        : bind(jitPrimitive, operands, {
            name,
            jaxpr: entry.program,
            device: options.device,
            donated: entry.donated,
          })
    if (options.donateArgnums !== undefined) donate(args, options.donateArgnums, outs)
    return unflatten(entry.outDef, outs)
  }
  return Object.defineProperties(wrapped, {
    name: { value: name },
    traces: { get: () => traces },
    lower: {
      value: (...args: unknown[]): Lowered => {
        const { entry } = traced(args)
        return { asText: (stage = 'jaxpr') => shownAt(entry.program, stage, options.device) }
      },
    },
    clearCache: {
      value: () => {
        last = undefined
        cache.clear()
      },
    },
  }) as unknown as Jitted<A, R>
}

/** Whether leaves are arrays of the types that a function was traced for, and nothing that it closed over has ended. */
function fits(leaves: unknown[], { avals, consts }: Traced): leaves is NDArray[] {
  for (let i = 0; i < leaves.length; i++) {
    const leaf = leaves[i]
    if (!(leaf instanceof NDArray)) return false
    if (leaf.aval !== avals[i] && !sameFullAval(leaf.aval, avals[i]!)) return false
  }
  return !consts.some((x) => x instanceof Tracer && !x.owner.alive)
}
/** A stage as text, or the error that says which device has it. */
function shownAt(program: ClosedJaxpr, stage: Stage, device: DeviceName | undefined): string {
  if (stage === 'jaxpr') return printJaxpr(program)
  const on = device === undefined ? backend() : backendNamed('jit', device)
  const text = on.show?.(program, stage)
  if (text !== undefined) return text
  const hint = stage === 'wgsl' ? "jit(f, { device: 'webgpu' }) has wgsl" : `jit(f, { device: 'wasm' }) has ${stage}`
  throw new OptionError(misuse('asText', `a stage of the device '${on.name}'`, `'${stage}'`, hint))
}
/** Give up the memory of donated arguments, those aside that are results at the same time. */
function donate(args: readonly unknown[], argnums: Argnums, outs: readonly NDArray[]): void {
  for (const i of argumentSet('jit', 'donateArgnums', argnums, args.length)) {
    for (const leaf of flattenAny(args[i])[0]) {
      if (leaf instanceof ConcreteArray && !outs.includes(leaf)) leaf.forget('was donated to a jitted function')
    }
  }
}
