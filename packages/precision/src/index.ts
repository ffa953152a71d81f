/** jmp-style mixed precision: policies by name, and on modules. */
export { type Policy, castFloating, castToCompute, castToOutput, castToParam, policy } from './policy.ts'
export { clearPolicies, clearPolicy, currentPolicy, getPolicy, setPolicy, withPolicy } from './modules.ts'
