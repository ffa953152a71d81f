/** Parameters and state of the module whose method runs. */
import { type DType, NDArray, type Shape, ShapeError, checkOptions, currentTrace, np } from '@fluxion/core'
import { type Frame, ModuleError, currentBundle, currentFrame, currentScope } from './frame.ts'
import type { Initializer } from './initializers.ts'
import { type Kind, type ParamContext, runCreators, runGetters, runSetters } from './interceptors.ts'

export interface ParameterOptions {
  /** The dtype; by default float32. A mixed-precision policy overrides it. */
  dtype?: DType
  /** How it starts; needed where parameters are made. */
  init?: Initializer
}

const contextOf = (where: string, name: string, shape: Shape, dtype: DType): ParamContext => {
  const bundle = currentBundle(where)
  return { module: currentScope(where).module, fullName: `${bundle}/${name}`, name, shape, dtype }
}
function make(kind: Kind, where: string, context: ParamContext, init: Initializer | undefined): NDArray {
  if (init === undefined)
    throw new ModuleError(
      `${where}: '${context.fullName}' is made here and needs an initialiser\nhint: { init: hk.initializers.zeros }`,
    )
  const value = runCreators(kind, context, init)
  if (!(value instanceof NDArray))
    throw new ModuleError(`${where}: the initialiser of '${context.fullName}' gave no array`)
  checkShape(where, context, value)
  refuseLeak(where, context, value)
  return value
}
/** A parameter that belongs to a trace inside of `init` would be gone when `init` returns it. */
function refuseLeak(where: string, { fullName }: ParamContext, value: NDArray): void {
  const trace = currentTrace()
  if (trace === currentFrame(where).trace || (value as NDArray & { readonly owner?: unknown }).owner !== trace) return
  throw new ModuleError(
    `${where}: '${fullName}' is made inside of a function that ${trace.what} is tracing\n` +
      'hint: use hk.scan, hk.dynamicUnroll and the like, which make parameters outside of the loop, or make it before',
  )
}
function checkShape(where: string, { fullName, shape }: ParamContext, value: NDArray): void {
  if (value.shape.length === shape.length && value.shape.every((dim, i) => dim === shape[i])) return
  throw new ShapeError(
    `${where}: expected '${fullName}' of shape (${shape.join(',')}), got (${value.shape.join(',')})\nhint: were these parameters made for inputs of another size?`,
  )
}
function missing(where: string, frame: Frame, fullName: string, table: 'params' | 'state'): never {
  const there = Object.entries(frame[table]).flatMap(([bundle, entries]) =>
    Object.keys(entries).map((name) => `${bundle}/${name}`),
  )
  throw new ModuleError(
    `${where}: there is no '${fullName}' in the given ${table}, which have ${there.length === 0 ? 'none' : there.join(', ')}\nhint: make them with init of the same function`,
  )
}

/**
 * A parameter of the module whose method runs, made on the first call while `init` runs, given to `apply` afterwards.
 *
 * @param name its name in the module's bundle
 * @throws ModuleError outside of a transformed function, or if `apply` was not given it; ShapeError if its shape is another
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * const scaled = hk.transform((x) => x.mul(hk.getParameter('scale', [], { init: hk.initializers.constant(2) })))
 * const params = scaled.init(random.key(0), np.ones([2]))
 * scaled.apply(params, null, np.ones([2])) // => [2, 2]
 * ```
 */
export function getParameter(name: string, shape: Shape, options: ParameterOptions = {}): NDArray {
  const where = 'getParameter'
  checkOptions(where, options, ['dtype', 'init'])
  const frame = currentFrame(where)
  const bundle = currentBundle(where)
  const context = contextOf(where, name, shape, options.dtype ?? 'float32')
  let value = frame.params[bundle]?.[name]
  if (value === undefined) {
    if (!frame.initialising) missing(where, frame, context.fullName, 'params')
    value = make('params', where, context, options.init)
    ;(frame.params[bundle] ??= {})[name] = value
  }
  const seen = runGetters('params', value, context)
  checkShape(where, context, seen)
  return seen
}

/**
 * A value that the module whose method runs keeps from call to call: needs `transformWithState`.
 *
 * @param shape may be left out where the state is known to be there
 */
export function getState(name: string, shape?: Shape, options: ParameterOptions = {}): NDArray {
  const where = 'getState'
  checkOptions(where, options, ['dtype', 'init'])
  const frame = currentFrame(where)
  const bundle = currentBundle(where)
  const context = contextOf(where, name, shape ?? [], options.dtype ?? 'float32')
  let entry = frame.state[bundle]?.[name]
  if (entry === undefined) {
    if (options.init === undefined || shape === undefined) missing(where, frame, context.fullName, 'state')
    const value = make('state', where, context, options.init)
    entry = { initial: value, current: value }
    ;(frame.state[bundle] ??= {})[name] = entry
  }
  return runGetters('state', entry.current, { ...context, shape: entry.current.shape, dtype: entry.current.dtype })
}
/** Keep a value until the next call. */
export function setState(name: string, value: NDArray | number): void {
  const where = 'setState'
  const frame = currentFrame(where)
  const array = np.asarray(value)
  const kept = runSetters(array, contextOf(where, name, array.shape, array.dtype))
  const bundle = (frame.state[currentBundle(where)] ??= {})
  const entry = bundle[name]
  if (entry === undefined) bundle[name] = { initial: kept, current: kept }
  else entry.current = kept
}
