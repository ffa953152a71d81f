/** `hk.transform`: a function that uses modules as a pair of pure functions. */
import { NDArray, TreeError, type Tree, showAval } from '@fluxion/core'
import { type Frame, ModuleError, type Params, type State, type StateEntry, withFrame } from './frame.ts'
import { KeySequence, checkKey } from './keys.ts'

export type Key = NDArray
/** The two pure functions of `transform`; P names the parameters by annotation, as in `const net: Transformed<[NDArray], NDArray, MyParams> = …`. */
export interface Transformed<A extends readonly unknown[], R, P = Params> {
  /** Make the parameters: run the function once, for its calls of `getParameter`. */
  init(key: Key | null, ...args: A): P
  /** Run the function with parameters; `key` may be `null` if it draws no random numbers. */
  apply(params: P, key: Key | null, ...args: A): R
}
export interface TransformedNoRng<A extends readonly unknown[], R, P = Params> {
  init(key: Key | null, ...args: A): P
  apply(params: P, ...args: A): R
}
export interface TransformedWithState<A extends readonly unknown[], R, P = Params, S = State> {
  init(key: Key | null, ...args: A): [P, S]
  apply(params: P, state: S, key: Key | null, ...args: A): [R, S]
}
export interface TransformedWithStateNoRng<A extends readonly unknown[], R, P = Params, S = State> {
  init(key: Key | null, ...args: A): [P, S]
  apply(params: P, state: S, ...args: A): [R, S]
}

const sequence = (where: string, key: unknown): KeySequence | undefined =>
  key === null || key === undefined
    ? undefined
    : new KeySequence(
        checkKey(where, key, 'a key u32[2] or null', 'random.key(seed); with hk.withoutApplyRng, apply takes no key'),
      )
/** A tree of bundles as a caller gave it, with arrays as leaves. */
function bundles(where: string, what: string, tree: unknown): Record<string, Record<string, NDArray>> {
  if (typeof tree !== 'object' || tree === null || tree instanceof NDArray || Array.isArray(tree)) {
    throw new TreeError(
      `${where}: expected ${what}, a record of modules, got ${tree instanceof NDArray ? showAval(tree.aval) : typeof tree}\nhint: ${what} come first: apply(params, …)`,
    )
  }
  return Object.fromEntries(Object.entries(tree as Params).map(([module, entries]) => [module, { ...entries }]))
}
const entriesOf = (state: Record<string, Record<string, NDArray>>): Record<string, Record<string, StateEntry>> =>
  mapBundles(state, (value): StateEntry => ({ initial: value, current: value }))
function mapBundles<T, U>(
  table: Readonly<Record<string, Readonly<Record<string, T>>>>,
  f: (value: T) => U,
): Record<string, Record<string, U>> {
  return Object.fromEntries(
    Object.entries(table).map(([module, entries]) => [
      module,
      Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, f(value)])),
    ]),
  )
}

/**
 * Transform a function that uses modules and state into `init` and `apply`, of which both handle the state explicitly.
 *
 * @returns `init(key, …args)` gives `[params, state]`; `apply(params, state, key, …args)` gives `[result, new state]`
 * @throws ModuleError if `apply` is not given a parameter that the function asks for
 */
export function transformWithState<A extends readonly unknown[] = NDArray[], R extends Tree = Tree, P = Params>(
  f: (...args: A) => R,
): TransformedWithState<A, R, P> {
  return {
    init(key, ...args) {
      const params: Frame['params'] = {}
      const state: Frame['state'] = {}
      withFrame({ params, state, initialising: true, rng: sequence('init', key) }, () => f(...args))
      return [params as P, mapBundles(state, (entry) => entry.initial)]
    },
    apply(params, state, key, ...args) {
      const entries = entriesOf(bundles('apply', 'state', state))
      const frame = {
        params: bundles('apply', 'parameters', params),
        state: entries,
        initialising: false,
        rng: sequence('apply', key),
      }
      const result = withFrame(frame, () => f(...args))
      return [result, mapBundles(entries, (entry) => entry.current)]
    },
  }
}

/**
 * Transform a function that uses modules into two pure functions, `init` and `apply`.
 *
 * @returns `init(key, …args)` makes the parameters; `apply(params, key, …args)` runs the function with them
 * @throws ModuleError if the function keeps state: that needs `transformWithState`
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * const net = hk.transform((x) => hk.linear(3)(x))
 * const params = net.init(random.key(0), np.ones([1, 2]))
 * params.linear.w.shape // => [2, 3]
 * net.apply(params, null, np.zeros([1, 2])) // => [[0, 0, 0]]
 * ```
 */
export function transform<A extends readonly unknown[] = NDArray[], R extends Tree = Tree, P = Params>(
  f: (...args: A) => R,
): Transformed<A, R, P> {
  const both = transformWithState<A, R, P>(f)
  const refuse = (state: State): void => {
    const kept = Object.keys(state)
    if (kept.length > 0)
      throw new ModuleError(`transform: the function keeps state (${kept.join(', ')})\nhint: use hk.transformWithState`)
  }
  return {
    init(key, ...args) {
      const [params, state] = both.init(key, ...args)
      refuse(state)
      return params
    },
    apply(params, key, ...args) {
      const [result, state] = both.apply(params, {}, key, ...args)
      refuse(state)
      return result
    },
  }
}

/** Leave out the key that `apply` takes, of a function that draws no random numbers. */
// The stateful kind first: methods are compared loosely, so that it would pass for the other.
export function withoutApplyRng<A extends readonly unknown[], R, P, S>(
  transformed: TransformedWithState<A, R, P, S>,
): TransformedWithStateNoRng<A, R, P, S>
export function withoutApplyRng<A extends readonly unknown[], R, P>(
  transformed: Transformed<A, R, P>,
): TransformedNoRng<A, R, P>
export function withoutApplyRng(transformed: { init: unknown; apply: (...args: never[]) => unknown }): unknown {
  // `apply` of the stateful kind takes two trees before the key, that of the other one; both declare their parameters.
  const before = transformed.apply.length
  return {
    init: transformed.init,
    apply: (...args: unknown[]) =>
      transformed.apply(...([...args.slice(0, before - 1), null, ...args.slice(before - 1)] as never[])),
  }
}
/** Leave out the state of a function that keeps none. */
export function withoutState<A extends readonly unknown[], R, P>(
  transformed: TransformedWithState<A, R, P>,
): Transformed<A, R, P> {
  return {
    init: (key, ...args) => transformed.init(key, ...args)[0],
    apply: (params, key, ...args) => transformed.apply(params, {} as State, key, ...args)[0],
  }
}
