/** Operations that hold programs: known choices, calls of loops that need none, and operands that are made inside at no cost. */
import {
  type Atom,
  type ClosedJaxpr,
  type CondParams,
  type Equation,
  Literal,
  Var,
  type WhileParams,
  closed,
} from '@fluxion/core'
import { type Environment, split } from '../rewrite.ts'
import type { Rule, Rules } from '../simplify.ts'
import { scanRules } from './scan.ts'
import { Inputs, makeInside, makingOf, sink, withStart } from './sink.ts'

const knownBranch: Rule = ({ inputs: [index, ...args], params }, to) => {
  const { branches } = params as CondParams
  if (!(index instanceof Literal)) return undefined
  return to.call(branches[Math.min(Math.max(index.value, 0), branches.length - 1)]!, args)
}
/** All branches take the same operands, so that what one does not sink none does. */
const sinkIntoBranches: Rule = ({ inputs: [index, ...args], params, source }, to) => {
  const { branches } = params as CondParams
  const sunk = branches.map((branch) => sink(branch, args, to))
  if (sunk.some((one) => one === undefined)) return undefined
  return to.all('cond', [index!, ...sunk[0]!.operands], { branches: sunk.map((one) => one!.program) }, source)
}

const sinkIntoCheckpoint: Rule = ({ inputs, params, source }, to) => {
  const sunk = sink((params as { readonly jaxpr: ClosedJaxpr }).jaxpr, inputs, to)
  return sunk && to.all('remat2', sunk.operands, { ...params, jaxpr: sunk.program }, source)
}

const neverRuns: Rule = ({ inputs, params }) => {
  const { condJaxpr, condNconsts, bodyNconsts } = params as WhileParams
  const [runs] = condJaxpr.jaxpr.outputs
  return runs instanceof Literal && runs.value === 0 ? inputs.slice(condNconsts + bodyNconsts) : undefined
}
/** Constants of the condition and of the body are sunk; a carry that no step changes becomes a constant of both. */
const sinkIntoWhile: Rule = ({ inputs, params, source }, to) => {
  const { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts } = params as WhileParams
  const [condConsts, bodyConsts, init] = split(inputs, condNconsts, bodyNconsts) as [Atom[], Atom[], Atom[]]
  const fixed = init.map((_, i) => bodyJaxpr.jaxpr.outputs[i] === bodyJaxpr.jaxpr.inputs[bodyNconsts + i])
  const consts = [...condConsts, ...bodyConsts]
  const idle =
    !fixed.includes(true) &&
    consts.every((operand) => makingOf(operand, to) === undefined) &&
    new Set(condConsts).size === condNconsts &&
    new Set(bodyConsts).size === bodyNconsts
  if (idle) return undefined
  const rebuilt = (program: ClosedJaxpr, own: readonly Atom[]) => {
    const inputs = new Inputs()
    const start: Equation[] = []
    const environment: Environment = new Map()
    const carry: Var[] = []
    program.jaxpr.inputs.forEach((variable, i) => {
      const k = i - own.length
      const operand = k < 0 ? own[i]! : init[k]!
      const making = k < 0 || fixed[k] ? makingOf(operand, to) : undefined
      if (making !== undefined) environment.set(variable, makeInside(making, inputs, start))
      else if (k < 0 || fixed[k]) environment.set(variable, inputs.of(operand))
      else {
        const fresh = new Var(variable.aval)
        carry.push(fresh)
        environment.set(variable, fresh)
      }
    })
    return {
      operands: inputs.operands,
      program: withStart(program, [...inputs.variables, ...carry], environment, start),
    }
  }
  const [test, body] = [rebuilt(condJaxpr, condConsts), rebuilt(bodyJaxpr, bodyConsts)]
  const varying = init.filter((_, i) => !fixed[i])
  const outputs = body.program.jaxpr.outputs.filter((_, i) => !fixed[i])
  const results = to.all(
    'while',
    [...test.operands, ...body.operands, ...varying],
    {
      condJaxpr: test.program,
      bodyJaxpr: closed({ ...body.program.jaxpr, outputs }),
      condNconsts: test.operands.length,
      bodyNconsts: body.operands.length,
    },
    source,
  )
  let next = 0
  return init.map((operand, i) => (fixed[i] ? operand : results[next++]!))
}

export const controlRules: Rules = {
  cond: [knownBranch, sinkIntoBranches],
  remat2: [sinkIntoCheckpoint],
  while: [neverRuns, sinkIntoWhile],
  scan: scanRules,
}
