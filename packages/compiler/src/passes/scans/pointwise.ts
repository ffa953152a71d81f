/** Scans whose steps are pointwise: every element of the carries goes through time by itself, so that one loop over elements may hold the loop over steps. */
import type { Equation, Jaxpr, ScanParams } from '@fluxion/core'
import { elementwise, rearranging } from '../elementwise.ts'
import { sameList } from '../rewrite.ts'
import { isProduct } from './contraction.ts'
import { dependents } from './rewriteScans.ts'

/** What may make values from constants and scanned inputs: each element of a result follows from one element of each operand. */
export const placing: ReadonlySet<string> = new Set([...elementwise, ...rearranging, 'iota'])

/**
 * Whether a scan has carries of one shape, which flow only through elementwise operations, and stacks values of that shape. What does not
 * depend on carries may be placed too: spread, reshaped, cut out.
 */
export function isPointwiseScan({ primitive, params }: Equation): boolean {
  if (primitive.name !== 'scan') return false
  const { jaxpr, numConsts, numCarry } = params as ScanParams
  return isPointwise(jaxpr.jaxpr, numConsts, numCarry)
}

/** Whether steps multiply what follows from the carries: such a scan is a loop of launches, whose products take along what is done element by element. */
export function multipliesCarries(jaxpr: Jaxpr, numConsts: number, numCarry: number): boolean {
  const carried = dependents(jaxpr, jaxpr.inputs.slice(numConsts, numConsts + numCarry))
  return jaxpr.equations.some((equation) => isProduct(equation) && equation.inputs.some((atom) => carried.has(atom)))
}

/** The same as `isPointwiseScan` of a body. */
export function isPointwise(jaxpr: Jaxpr, numConsts: number, numCarry: number): boolean {
  const carries = jaxpr.inputs.slice(numConsts, numConsts + numCarry)
  const shape = carries[0]?.aval.shape
  if (shape === undefined) return false
  const isShaped = (value: { readonly aval: { readonly shape: readonly number[] } }): boolean =>
    sameList(value.aval.shape, shape)
  if (!carries.every(isShaped) || !jaxpr.outputs.every(isShaped)) return false
  const carried = dependents(jaxpr, carries)
  return jaxpr.equations.every(({ primitive: { name }, inputs, outputs }) => {
    if (!placing.has(name)) return false
    if (!inputs.some((atom) => carried.has(atom))) return true
    return elementwise.has(name) && outputs.every((variable) => variable === null || isShaped(variable))
  })
}
