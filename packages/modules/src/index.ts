/** Haiku-style modules: functions that make parameters, as pairs of pure functions. */
export {
  ModuleError,
  type Params,
  type State,
  maybeNextRngKey,
  nextRngKey,
  nextRngKeys,
  reserveRngKeys,
  runningInit,
  withRng,
} from './frame.ts'
export { type KeySequence, prngSequence } from './keys.ts'
export {
  type Key,
  type Transformed,
  type TransformedNoRng,
  type TransformedWithState,
  type TransformedWithStateNoRng,
  transform,
  transformWithState,
  withoutApplyRng,
  withoutState,
} from './transform.ts'
export {
  type AnyCore,
  type Core,
  type Instance,
  type Module,
  type Named,
  core,
  module,
  nameScope,
  toModule,
} from './module.ts'
export { type ParameterOptions, getParameter, getState, setState } from './parameters.ts'
export {
  type Creator,
  type Getter,
  type HookOptions,
  type Interceptor,
  type MethodContext,
  type ParamContext,
  type Setter,
  customCreator,
  customGetter,
  customSetter,
  interceptMethods,
  interceptMethodsGlobal,
} from './interceptors.ts'
export * as initializers from './initializers.ts'
export type { Initializer } from './initializers.ts'

// layers
export { type LinearOptions, linear } from './linear.ts'
export { batchApply, flatten, reshape, sequential } from './shaping.ts'
export { type Layer, type States, type UnrollOptions, deepRNN, dynamicUnroll, staticUnroll } from './recurrent.ts'
export { scan } from './lift.ts'
