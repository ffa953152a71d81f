/** Products of what a scan is given: those of all steps become one before the loop, whose results are scanned. */
import { type Atom, type Equation, type Var, closed } from '@fluxion/core'
import { type Pass, budget, bytesOfAval } from '../rewrite.ts'
import { partsOf } from '../rules/scan.ts'
import { batchedSlice, bytesOfAll, fits, isBetween, sliceOf } from './outside.ts'
import { dependents, rewriteScans } from './rewriteScans.ts'
import { products } from './stages.ts'

export const hoistProducts: Pass = rewriteScans((scan, to) => {
  const { params, consts, init, xs, constVars, carryVars, xVars } = partsOf(scan)
  const { jaxpr } = params.jaxpr
  const { length } = params
  if (length < 2) return undefined
  const varying = dependents(jaxpr, xVars)
  const carried = dependents(jaxpr, carryVars)
  const valueOf = (leaf: Var): Atom => xs[xVars.indexOf(leaf)] ?? consts[constVars.indexOf(leaf)]!
  const isLeaf = (variable: Var): boolean => xVars.includes(variable) || constVars.includes(variable)

  const moved: { readonly equation: Equation; readonly value: Atom }[] = []
  for (const equation of jaxpr.equations) {
    const [product] = equation.outputs
    if (!products.has(equation.primitive.name) || product === null || product === undefined) continue
    if (!varying.has(product) || carried.has(product)) continue
    const slice = sliceOf(product, jaxpr, isLeaf, (other) => other === equation || isBetween(other))
    if (slice === undefined || !fits(slice, length)) continue
    const operands = bytesOfAll(slice.leaves.map(valueOf))
    if (bytesOfAval(product.aval) * length > operands + budget) continue
    const batched = batchedSlice(slice, length, (leaf) => xVars.includes(leaf))
    if (batched !== undefined) moved.push({ equation, value: to.inline(batched, slice.leaves.map(valueOf))[0]! })
  }
  if (moved.length === 0) return undefined
  const elements = moved.map(({ equation }) => equation.outputs[0]!)
  const equations = jaxpr.equations.filter((equation) => !moved.some((one) => one.equation === equation))
  return to.emit(
    'scan',
    [...consts, ...init, ...xs, ...moved.map(({ value }) => value)],
    { ...params, jaxpr: closed({ ...jaxpr, inputs: [...jaxpr.inputs, ...elements], equations }) },
    scan.source,
  )
})
