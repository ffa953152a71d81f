/** `hk.module` and `hk.core`: how every layer is written, the library's own and the user's. */
import type { NDArray } from '@fluxion/core'
import { type ModuleInfo, currentScope, newScope, withScope } from './frame.ts'
import { runInterceptors } from './interceptors.ts'
import { uniqueName } from './naming.ts'

export interface Named {
  /** The name in the parameter tree, with those of enclosing modules. */
  readonly moduleName: string
}
export interface Module<A extends readonly unknown[] = [x: NDArray], R = NDArray> extends Named {
  (...args: A): R
}
/** A recurrent core: from input and state to output and state. */
export interface Core<S> extends Named {
  (x: NDArray, state: S): [NDArray, S]
  /** The state to start from, for a batch of that size or, with `null`, for inputs without a batch axis. */
  initialState(batch: number | null): S
}
/** A core of any state: parameters `never`, results `unknown`, so that no `any` is needed. */
export interface AnyCore extends Named {
  (x: NDArray, state: never): readonly [NDArray, unknown]
  initialState(batch: number | null): unknown
}

type Method = (...args: never[]) => unknown
type Methods = { readonly call: Method; readonly [name: string]: Method }
/** What a factory makes of a function, or of a record of methods: the method `call` is what calling the module runs. */
export type Instance<M> = M extends Method
  ? M & Named
  : M extends { readonly call: infer C extends Method }
    ? C & Omit<M, 'call'> & Named
    : never

/** The name that a caller gave in the trailing options. */
function givenName(args: readonly unknown[]): string | undefined {
  const last = args.at(-1)
  if (typeof last !== 'object' || last === null || Array.isArray(last)) return undefined
  const name = (last as { name?: unknown }).name
  return typeof name === 'string' ? name : undefined
}

/**
 * Make a factory of modules. Calling the factory makes a module, whose name is unique where it is made; calling the module runs the
 * function that `build` returned, and the parameters that it asks for are the module's own.
 *
 * @param name the default name; a `name` in the factory's trailing options replaces it
 * @param build gets the factory's arguments and returns the module's function, or a record of methods of which `call` is the main one;
 *   modules made inside of it belong to the constructor (`parent/~/child`)
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * const scale = hk.module('scale', (factor) => (x) => x.mul(factor).mul(hk.getParameter('s', [], { init: hk.initializers.ones })))
 * const net = hk.transform((x) => scale(3)(x))
 * Object.keys(net.init(random.key(0), np.ones([]))) // => ['scale']
 * ```
 */
export function module<A extends readonly unknown[], M extends Method | Methods>(
  name: string,
  build: (...args: A) => M,
): (...args: A) => Instance<M> {
  const factory = (...args: A): Instance<M> => {
    const scope = currentScope(name)
    const info: ModuleInfo = { moduleName: uniqueName(scope, givenName(args) ?? name), factory }
    const built = invoke(info, 'constructor', build as unknown as Method, args) as Method | Methods
    const methods: Methods = typeof built === 'function' ? { call: built } : built
    const bound =
      (method: string) =>
      (...given: unknown[]) =>
        invoke(info, method, methods[method]!, given)
    const instance = Object.defineProperties(bound('call'), {
      moduleName: { value: info.moduleName, enumerable: true },
      name: { value: info.moduleName },
    })
    for (const method of Object.keys(methods))
      if (method !== 'call') Object.defineProperty(instance, method, { value: bound(method), enumerable: true })
    return instance as unknown as Instance<M>
  }
  return Object.defineProperty(factory, 'name', { value: name })
}
/** Run a method in the scope of its module, under the interceptors. */
function invoke(info: ModuleInfo, method: string, f: Method, args: readonly unknown[]): unknown {
  return withScope(newScope(info, method), () =>
    runInterceptors({ module: info, method }, f as (...given: unknown[]) => unknown, args),
  )
}

/**
 * Make a factory of recurrent cores, for `deepRNN` and the unrolls.
 *
 * @param build returns `call`, from input and state to output and new state, and `initialState`, from the batch size to a state
 * @see module
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * const leaky = hk.core('Leaky', (size) => ({
 *   call: (x, v) => { const next = v.mul(0.5).add(x); return [next, next] },
 *   initialState: (batch) => np.zeros(batch === null ? [size] : [batch, size]),
 * }))
 * const net = hk.transform((x) => { const core = leaky(1); return hk.dynamicUnroll(core, x, core.initialState(null))[0] })
 * net.apply({}, null, np.array([[1], [0]])) // => [[1], [0.5]]
 * ```
 */
export function core<A extends readonly unknown[], S>(
  name: string,
  build: (...args: A) => { call(x: NDArray, state: S): readonly [NDArray, S]; initialState(batch: number | null): S },
): (...args: A) => Core<S> {
  return module(name, build as unknown as (...args: A) => Methods) as unknown as (...args: A) => Core<S>
}

/** Run `f` in a scope of its own: names of modules that it makes begin with `name/`. */
export function nameScope<T>(name: string, f: () => T): T {
  const info: ModuleInfo = { moduleName: uniqueName(currentScope('nameScope'), name), factory: nameScope }
  return withScope(newScope(info, 'call'), f)
}
/** Make a function a module under the given name, so that modules which it makes belong to it. */
export const toModule = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  name?: string,
): ((options?: { name?: string }) => Module<A, R>) =>
  module(name ?? (f.name === '' ? 'module' : f.name), (_options?: { name?: string }) => f) as unknown as (options?: {
    name?: string
  }) => Module<A, R>
