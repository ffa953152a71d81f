/**
 * What a transformed function runs in: the parameters and state that it makes or reads, its random keys, and the stack of scopes that
 * names come from. Haiku's idea; kept in this one file, and left on every exit.
 */
import { FluxionError, type NDArray, currentTrace } from '@fluxion/core'
import { KeySequence, checkKey } from './keys.ts'

/** A misuse of modules: outside of a transformed function, a missing parameter, a name used twice. */
export class ModuleError extends FluxionError {}

export type Params = { readonly [module: string]: { readonly [name: string]: NDArray } }
export type State = Params
type Bundles<T> = Record<string, Record<string, T>>
export interface StateEntry {
  initial: NDArray
  current: NDArray
}

/** One call of a method (or the function itself, with no module): names made in it are unique in it. */
export interface Scope {
  readonly moduleName: string | undefined
  readonly module: ModuleInfo | undefined
  readonly method: string
  readonly counters: Map<string, number>
  readonly used: Set<string>
}
/** What interceptors, creators and getters are told of a module. */
export interface ModuleInfo {
  readonly moduleName: string
  /** The factory that made the module: the key of mixed-precision policies. */
  readonly factory: unknown
}

export interface Frame {
  readonly params: Bundles<NDArray>
  readonly state: Bundles<StateEntry>
  /** Parameters and state may be made; otherwise they must be there. */
  readonly initialising: boolean
  /** Where keys come from; `withRng` exchanges it for a while. */
  rng: KeySequence | undefined
  readonly scopes: Scope[]
  /** The trace that the function runs under: parameters made below it would leak. */
  readonly trace: unknown
}

const frames: Frame[] = []
export const newScope = (module: ModuleInfo | undefined, method: string): Scope => ({
  moduleName: module?.moduleName,
  module,
  method,
  counters: new Map(),
  used: new Set(),
})

export function withFrame<T>(parts: Omit<Frame, 'scopes' | 'trace'>, f: () => T): T {
  frames.push({ ...parts, scopes: [newScope(undefined, 'call')], trace: currentTrace() })
  try {
    return f()
  } finally {
    frames.pop()
  }
}
export const insideTransform = (): boolean => frames.length > 0
export function currentFrame(where: string): Frame {
  const frame = frames.at(-1)
  if (frame === undefined) {
    throw new ModuleError(
      `${where}: must be called inside of a function that is being transformed\nhint: wrap the function in hk.transform, then call its init and apply`,
    )
  }
  return frame
}
export const currentScope = (where: string): Scope => currentFrame(where).scopes.at(-1)!
export function withScope<T>(scope: Scope, f: () => T): T {
  const { scopes } = currentFrame('a module')
  scopes.push(scope)
  try {
    return f()
  } finally {
    scopes.pop()
  }
}
/** Remember which names the current scope has given, and give the function that goes back to them: for code that runs more than once. */
export function nameRewinder(where: string): () => void {
  const { counters, used } = currentScope(where)
  const [countersBefore, usedBefore] = [[...counters], [...used]]
  return () => {
    counters.clear()
    used.clear()
    for (const [base, count] of countersBefore) counters.set(base, count)
    for (const name of usedBefore) used.add(name)
  }
}
/** The bundle that parameters of the current scope belong to. */
export const currentBundle = (where: string): string => currentScope(where).moduleName ?? '~'

/** Whether parameters are being made. */
export const runningInit = (): boolean => currentFrame('runningInit').initialising
/** The keys of the function that runs, or the error that it has none. */
function keysOf(where: string): KeySequence {
  const { rng } = currentFrame(where)
  if (rng !== undefined) return rng
  throw new ModuleError(
    `${where}: expected a random key, got null\nhint: give init and apply one: init(random.key(0), …), apply(params, random.key(1), …); hk.withoutApplyRng takes none`,
  )
}
/**
 * The next random key of the transformed function.
 *
 * @throws ModuleError if `apply` was given none
 */
export const nextRngKey = (): NDArray => keysOf('nextRngKey').next()
/** Several keys, split off at once. */
export const nextRngKeys = (count: number): NDArray[] => keysOf('nextRngKeys').take(count)
/** A key if there is one, else `null`. */
export const maybeNextRngKey = (): NDArray | null => currentFrame('maybeNextRngKey').rng?.next() ?? null
/** Split off keys at once, which the following calls of `nextRngKey` give. */
export const reserveRngKeys = (count: number): void => keysOf('reserveRngKeys').reserve(count)
/** Run `f` with keys that come from another one. */
export function withRng<T>(key: NDArray, f: () => T): T {
  const frame = currentFrame('withRng')
  const outer = frame.rng
  frame.rng = new KeySequence(checkKey('withRng', key, 'a key u32[2]', 'random.key(seed)'))
  try {
    return f()
  } finally {
    frame.rng = outer
  }
}
