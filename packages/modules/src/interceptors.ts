/** Hooks around methods, and around making and reading parameters and state; as in Haiku, those of the outermost scope run first. */
import { type DType, type NDArray, type Shape, checkOptions } from '@fluxion/core'
import type { ModuleInfo } from './frame.ts'
import type { Initializer } from './initializers.ts'

export interface MethodContext {
  readonly module: ModuleInfo
  readonly method: string
}
/** Called instead of a method; `next` calls the following interceptor, or the method itself. */
export type Interceptor = (
  next: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  context: MethodContext,
) => unknown

export interface ParamContext {
  readonly module: ModuleInfo | undefined
  readonly fullName: string
  readonly name: string
  readonly shape: Shape
  readonly dtype: DType
}
type NextCreator = (shape: Shape, dtype: DType, init: Initializer) => NDArray
/** Called instead of the initialiser when a parameter or state is made. */
export type Creator = (
  next: NextCreator,
  shape: Shape,
  dtype: DType,
  init: Initializer,
  context: ParamContext,
) => NDArray
/** Called with a parameter or state that is read, and gives what the reader sees. */
export type Getter = (next: (value: NDArray) => NDArray, value: NDArray, context: ParamContext) => NDArray
/** Called with a state that is set, and gives what is kept. */
export type Setter = Getter

export type Kind = 'params' | 'state'
const globalInterceptors: Interceptor[] = []
const interceptors: Interceptor[] = []
const creators: Record<Kind, Creator[]> = { params: [], state: [] }
const getters: Record<Kind, Getter[]> = { params: [], state: [] }
const setters: Setter[] = []

function during<T, H>(lists: readonly H[][], hook: H, f: () => T): T {
  for (const list of lists) list.push(hook)
  try {
    return f()
  } finally {
    for (const list of lists) list.pop()
  }
}
function listsOf<H>(where: string, table: Record<Kind, H[]>, kinds: HookOptions): H[][] {
  checkOptions(where, kinds, ['params', 'state'])
  return (['params', 'state'] as const).filter((kind) => kinds[kind] ?? kind === 'params').map((kind) => table[kind])
}

export interface HookOptions {
  /** Hook parameters (the default). */
  params?: boolean
  /** Hook state. */
  state?: boolean
}
/** Run `f` with an interceptor around every method of every module. */
export const interceptMethods = <T>(interceptor: Interceptor, f: () => T): T => during([interceptors], interceptor, f)
/** Put an interceptor around every method of every module from now on; gives the function that takes it away. */
export function interceptMethodsGlobal(interceptor: Interceptor): () => void {
  globalInterceptors.push(interceptor)
  let there = true
  return () => {
    if (there) globalInterceptors.splice(globalInterceptors.indexOf(interceptor), 1)
    there = false
  }
}
/** Run `f` with a hook on making parameters. */
export const customCreator = <T>(creator: Creator, f: () => T, options: HookOptions = {}): T =>
  during(listsOf('customCreator', creators, options), creator, f)
/** Run `f` with a hook on reading parameters. */
export const customGetter = <T>(getter: Getter, f: () => T, options: HookOptions = {}): T =>
  during(listsOf('customGetter', getters, options), getter, f)
/** Run `f` with a hook on setting state. */
export const customSetter = <T>(setter: Setter, f: () => T): T => during([setters], setter, f)

export function runInterceptors(
  context: MethodContext,
  method: (...args: unknown[]) => unknown,
  args: readonly unknown[],
): unknown {
  const chain = [...globalInterceptors, ...interceptors]
  const next = (...given: unknown[]): unknown => {
    const interceptor = chain.shift()
    return interceptor === undefined ? method(...given) : interceptor(next, given, context)
  }
  return next(...args)
}
export function runCreators(kind: Kind, context: ParamContext, init: Initializer): NDArray {
  const chain = [...creators[kind]]
  const next: NextCreator = (shape, dtype, initializer) => {
    const creator = chain.shift()
    return creator === undefined ? initializer(shape, dtype) : creator(next, shape, dtype, initializer, context)
  }
  return next(context.shape, context.dtype, init)
}
function runChain(hooks: readonly Getter[], value: NDArray, context: ParamContext): NDArray {
  const chain = [...hooks]
  const next = (given: NDArray): NDArray => {
    const hook = chain.shift()
    return hook === undefined ? given : hook(next, given, context)
  }
  return next(value)
}
export const runGetters = (kind: Kind, value: NDArray, context: ParamContext): NDArray =>
  runChain(getters[kind], value, context)
export const runSetters = (value: NDArray, context: ParamContext): NDArray => runChain(setters, value, context)
