/** Policies on modules: an interceptor around each of their methods, `initialState` included, so that a loop's carry keeps its dtype. */
import {
  customCreator,
  customGetter,
  interceptMethodsGlobal,
  type Creator,
  type Getter,
  type Interceptor,
  type Named,
} from '@fluxion/modules'
import { OptionError, isFloat } from '@fluxion/core'
import { type Policy, castToCompute, castToOutput } from './policy.ts'

type Factory = (...args: never[]) => Named
const policies = new Map<unknown, Policy>()
let hooked = false

/** Modules made inside of one that has a policy are under it too, unless they have their own. */
const active: Policy[] = []
const creator: Creator = (next, shape, _dtype, init) => next(shape, active.at(-1)!.paramDtype, init)
const getter: Getter = (next, value) => next(castToCompute(active.at(-1)!, value))

const interceptor: Interceptor = (next, args, { module }) => {
  const chosen = policies.get(module.factory)
  if (chosen === undefined) return next(...args)
  active.push(chosen)
  try {
    const run = (): unknown => next(...(castToCompute(chosen, args) as unknown[]))
    // Hooks are set once for all policies that are active: they look at the innermost.
    const result = active.length > 1 ? run() : customCreator(creator, () => customGetter(getter, run, { state: true }))
    return castToOutput(chosen, result)
  } finally {
    active.pop()
  }
}

/**
 * Let every module of a factory compute under a policy: parameters are made in its parameter dtype, floating arguments, parameters and
 * state are converted to the compute dtype, results to the output dtype. Integers stay as they are.
 *
 * @param factory `hk.linear`, `rlif`, or any other made by `hk.module` or `hk.core`
 * @throws OptionError if given something else, such as a module
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * import { clearPolicy, policy, setPolicy } from '@fluxion/precision'
 * setPolicy(hk.linear, policy('half'))
 * const net = hk.transform((x) => hk.linear(2)(x))
 * net.init(random.key(0), np.ones([1, 3])).linear.w.dtype // => 'float16'
 * clearPolicy(hk.linear)
 * ```
 */
export function setPolicy(factory: Factory, chosen: Policy): void {
  if (typeof factory !== 'function' || 'moduleName' in factory) {
    throw new OptionError(
      'setPolicy: expected a factory of modules, such as hk.linear, got a module or no function\nhint: setPolicy(hk.linear, policy), not setPolicy(hk.linear(3), policy)',
    )
  }
  for (const dtype of [chosen.paramDtype, chosen.computeDtype, chosen.outputDtype]) {
    if (!isFloat(dtype)) throw new OptionError(`setPolicy: expected floating dtypes, got '${dtype}'`)
  }
  if (!hooked) interceptMethodsGlobal(interceptor)
  hooked = true
  policies.set(factory, chosen)
}
/** The policy of a factory, if it has one. */
export const getPolicy = (factory: Factory): Policy | undefined => policies.get(factory)
/** Take the policy of a factory away. */
export const clearPolicy = (factory: Factory): void => {
  policies.delete(factory)
}
/** Take the policies of all factories away. */
export const clearPolicies = (): void => policies.clear()
/** Run `f` with a policy on a factory. */
export function withPolicy<T>(factory: Factory, chosen: Policy, f: () => T): T {
  const before = policies.get(factory)
  setPolicy(factory, chosen)
  try {
    return f()
  } finally {
    if (before === undefined) policies.delete(factory)
    else policies.set(factory, before)
  }
}
/** The policy that the running module computes under. */
export const currentPolicy = (): Policy | undefined => active.at(-1)
