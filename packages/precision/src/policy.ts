/** Mixed-precision policies: the dtypes that parameters, computation and results have. */
import { type DType, NDArray, OptionError, isFloat, tree } from '@fluxion/core'

export interface Policy {
  readonly paramDtype: DType
  readonly computeDtype: DType
  readonly outputDtype: DType
}

const names: Readonly<Record<string, DType>> = {
  half: 'float16',
  f16: 'float16',
  float16: 'float16',
  bf16: 'bfloat16',
  bfloat16: 'bfloat16',
  full: 'float32',
  f32: 'float32',
  float32: 'float32',
  f64: 'float64',
  float64: 'float64',
}
function dtypeNamed(name: string): DType {
  const dtype = Object.hasOwn(names, name) ? names[name] : undefined
  if (dtype === undefined)
    throw new OptionError(`policy: expected a dtype among ${Object.keys(names).join(', ')}, got '${name}'`)
  return dtype
}
const keys: Readonly<Record<string, 'param' | 'compute' | 'output'>> = {
  p: 'param',
  params: 'param',
  c: 'compute',
  compute: 'compute',
  o: 'output',
  output: 'output',
}

/**
 * A policy by name.
 *
 * @param name a dtype for everything (`half`, `full`, `bfloat16` …), or parts as in `params=float32,compute=half`: what is not given is
 *   float32 for parameters, follows them for computation, and follows computation for results
 * @throws OptionError on a name or key that does not exist
 * @example
 * ```ts
 * import { policy } from '@fluxion/precision'
 * policy('p=f32,c=half') // => { paramDtype: 'float32', computeDtype: 'float16', outputDtype: 'float16' }
 * ```
 */
export function policy(name: 'half' | 'full' | 'float16' | 'bfloat16' | (string & {})): Policy {
  if (!name.includes('=')) {
    const dtype = dtypeNamed(name)
    return { paramDtype: dtype, computeDtype: dtype, outputDtype: dtype }
  }
  const given: { param?: DType; compute?: DType; output?: DType } = {}
  for (const part of name.split(',')) {
    const at = part.indexOf('=')
    const [key, value] = [part.slice(0, Math.max(at, 0)), part.slice(at + 1)]
    if (!Object.hasOwn(keys, key))
      throw new OptionError(`policy: expected keys among params, compute, output, got '${key}' in '${name}'`)
    given[keys[key]!] = dtypeNamed(value)
  }
  const paramDtype = given.param ?? 'float32'
  const computeDtype = given.compute ?? paramDtype
  return { paramDtype, computeDtype, outputDtype: given.output ?? computeDtype }
}

/** Floating arrays of a tree in another dtype; all other leaves stay. */
export const castFloating = <T>(given: T, dtype: DType): T =>
  tree.mapWith(
    {},
    (leaf: unknown) => (leaf instanceof NDArray && isFloat(leaf.dtype) ? leaf.astype(dtype) : leaf),
    given,
  ) as T
export const castToParam = <T>({ paramDtype }: Policy, given: T): T => castFloating(given, paramDtype)
export const castToCompute = <T>({ computeDtype }: Policy, given: T): T => castFloating(given, computeDtype)
export const castToOutput = <T>({ outputDtype }: Policy, given: T): T => castFloating(given, outputDtype)
