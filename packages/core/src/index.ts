/** Fluxion's core. */
import './setup.ts'

// arrays and types
export { type ArrayLike, ConcreteArray, NDArray, type Nested, type NestedNumbers } from './array.ts'
export type { Backend, Buffer, Executable, HostArray, Stage, TypedArray } from './backend/interface.ts'
export { type DeviceInfo, type DeviceName, devices, setDevice } from './backend/devices.ts'
export {
  type DType,
  type DTypeInfo,
  allBits,
  bytesOf,
  dtypes,
  highest,
  isFloat,
  isInteger,
  lowest,
  promote,
} from './dtype.ts'
export * from './errors.ts'
export { type Aval, showAval } from './ir/aval.ts'
export { type Atom, type ClosedJaxpr, type Equation, type Jaxpr, Literal, Var } from './ir/jaxpr.ts'
export { checkJaxpr } from './ir/check.ts'
export { printJaxpr } from './ir/print.ts'
export type { Axis, Dims, Shape } from './shape.ts'
export type * from './types.ts'

// trees
export { TreeDef } from './tree.ts'
export * as tree from './trees.ts'

// transformations
export {
  type Argnums,
  type GradOptions,
  grad,
  jvp,
  linearTranspose,
  linearize,
  stopGradient,
  valueAndGrad,
  vjp,
} from './transform/autodiff.ts'
export { type Jacobian, hessian, hvp, jacfwd, jacrev } from './transform/jacobian.ts'
export { evalShape, makeJaxpr } from './transform/inspect.ts'
export { type VmapOptions, vmap } from './transform/vectorize.ts'
export { type JitOptions, type Jitted, type Lowered, disableJit, jit } from './control/jitted.ts'
export { type CustomJvp, type CustomVjp, customJvp, customVjp } from './control/custom.ts'
export {
  type CheckpointOptions,
  type CheckpointPolicy,
  checkpoint,
  checkpointName,
  checkpointPolicies,
  saveOnlyTheseNames,
} from './control/checkpoint.ts'
export { ioCallback, pureCallback } from './control/callback.ts'
export * as debug from './control/debug.ts'

// functions
export * as lax from './lax/index.ts'
export * as nn from './nn/index.ts'
export * as np from './numpy/index.ts'
export * as profiler from './profiler/index.ts'
export * as random from './random/index.ts'
export { ellipsis, newaxis, slice } from './numpy/slice.ts'

// for writers of primitives and back ends
export {
  type AnyPrimitive,
  type Combination,
  type Derive,
  type Factor,
  type Inner,
  type InnerFactor,
  type Primitive,
  type Span,
  primitives,
  runnable,
} from './primitive/define.ts'
export { closed, hasEffects, isClosedJaxpr, isEffectful, subprograms } from './ir/jaxpr.ts'
export { evalJaxpr } from './transform/eval.ts'
export { type BatchedProgram, batchedProgram } from './transform/vmap.ts'
export { scalarFunctions } from './primitive/elementwise/scalars.ts'
export type { CallbackParams } from './control/callback.ts'
export type { CondParams } from './control/cond.ts'
export type { ScanParams } from './control/scan.ts'
export type { WhileParams } from './control/while.ts'
export {
  type DeviceProvider,
  backend,
  cpuBackend,
  openNamedDevice,
  provideDevice,
  setBackend,
} from './backend/devices.ts'
export { sizeOf } from './shape.ts'
export { allocate, roundBfloat, roundHalf } from './backend/reference/host.ts'
export { log, logs, onLog } from './log.ts'
export { setting } from './setting.ts'
export { type Recording, type TimeSpan, type Track, mainTrack, recorded, recording } from './profiler/recording.ts'
export { currentTrace, debugNans, fromHost, onWarning } from './trace.ts'
