/** Loops over known numbers of steps: those of none or one step are dissolved; what does not vary leaves carries, operands and results. */
import { type Atom, type Equation, Literal, type ScanParams, Var, bytesOf, closed } from '@fluxion/core'
import { type Environment, split } from '../rewrite.ts'
import type { Rule, Simplifier } from '../simplify.ts'
import { Inputs, type Making, makeInside, makingOf, makingOfElement, withStart } from './sink.ts'

/** A scan with its operands and its body's inputs and outputs by kind. */
export interface Parts {
  readonly params: ScanParams
  readonly consts: readonly Atom[]
  readonly init: readonly Atom[]
  readonly xs: readonly Atom[]
  readonly constVars: readonly Var[]
  readonly carryVars: readonly Var[]
  readonly xVars: readonly Var[]
  readonly next: readonly Atom[]
  readonly ys: readonly Atom[]
}
export function partsOf({ inputs, params: given }: Equation): Parts {
  const params = given as ScanParams
  const { jaxpr, numConsts, numCarry } = params
  const [consts, init, xs] = split(inputs, numConsts, numCarry) as [Atom[], Atom[], Atom[]]
  const [constVars, carryVars, xVars] = split(jaxpr.jaxpr.inputs, numConsts, numCarry) as [Var[], Var[], Var[]]
  const [next, ys] = split(jaxpr.jaxpr.outputs, numCarry) as [Atom[], Atom[]]
  return { params, consts, init, xs, constVars, carryVars, xVars, next, ys }
}

const noSteps: Rule = (equation, to) => {
  const { params, init, ys } = partsOf(equation)
  if (params.length > 0) return undefined
  return [...init, ...ys.map(({ aval }) => to.number(0, { ...aval, shape: [0, ...aval.shape] }))]
}
const oneStep: Rule = (equation, to) => {
  const { params, consts, init, xs, ys } = partsOf(equation)
  if (params.length !== 1) return undefined
  const elements = xs.map((x) => to.make('reshape', [x], { newSizes: x.aval.shape.slice(1) }))
  const results = to.call(params.jaxpr, [...consts, ...init, ...elements])
  const stacked = ys.map((y, i) => stack(results[init.length + i]!, 1, to))
  return [...results.slice(0, init.length), ...stacked]
}
/** A value repeated for each step. */
const stack = (atom: Atom, length: number, to: Simplifier): Atom =>
  to.make('broadcast_in_dim', [atom], {
    shape: [length, ...atom.aval.shape],
    broadcastDimensions: atom.aval.shape.map((_, axis) => axis + 1),
  })

/** A scanned operand that is converted from something narrower is converted step by step. */
function widened(operand: Atom, to: Simplifier): Making | undefined {
  const equation = to.made(operand, 'convert_element_type')
  const from = narrowerThan(operand, equation)
  return from && { from, scanned: true, equation: equation! }
}
/** Operands that are numbers, spread, given twice, or carries that no step changes. */
const fewerOperands: Rule = (equation, to) => {
  const parts = partsOf(equation)
  const { params, consts, init, xs, next } = parts
  const constMakings = consts.map((operand) => makingOf(operand, to))
  const xMakings = xs.map((operand) => makingOfElement(operand, to) ?? widened(operand, to))
  const fixed = parts.carryVars.map((variable, i) => next[i] === variable)
  // Of carries that start and go on alike one is kept.
  const twinOf = init.map((operand, i) =>
    init.findIndex((other, j) => j <= i && (j === i || (other === operand && next[j] === next[i]))),
  )
  const merged = twinOf.map((twin, i) => twin !== i && !fixed[i])
  const idle =
    [...constMakings, ...xMakings].every((making) => making === undefined) &&
    !fixed.includes(true) &&
    !merged.includes(true) &&
    new Set(consts).size === consts.length &&
    new Set(xs).size === xs.length
  if (idle) return undefined

  const environment: Environment = new Map()
  const [constInputs, xInputs] = [new Inputs(), new Inputs()]
  const start: Equation[] = []
  const bindConst = (variable: Var, operand: Atom, making: Making | undefined): void => {
    environment.set(variable, making === undefined ? constInputs.of(operand) : makeInside(making, constInputs, start))
  }
  parts.constVars.forEach((variable, i) => bindConst(variable, consts[i]!, constMakings[i]))
  const carry: Var[] = []
  parts.carryVars.forEach((variable, i) => {
    if (fixed[i]) bindConst(variable, init[i]!, makingOf(init[i]!, to))
    else if (merged[i]) environment.set(variable, environment.get(parts.carryVars[twinOf[i]!]!)!)
    else {
      const fresh = new Var(variable.aval)
      carry.push(fresh)
      environment.set(variable, fresh)
    }
  })
  parts.xVars.forEach((variable, i) => {
    const making = xMakings[i]
    const element = (x: Atom): Var => new Var({ ...x.aval, shape: x.aval.shape.slice(1) })
    if (making === undefined) environment.set(variable, xInputs.of(xs[i]!, element(xs[i]!)))
    else if (making.scanned !== true) environment.set(variable, makeInside(making, constInputs, start))
    else {
      const one = xInputs.of(making.from!, element(making.from!))
      if (making.equation === undefined) environment.set(variable, one)
      else {
        const made = { ...making.equation, inputs: [one], outputs: [new Var(variable.aval)] }
        start.push(made)
        environment.set(variable, made.outputs[0]!)
      }
    }
  })
  const whole = withStart(params.jaxpr, [...constInputs.variables, ...carry, ...xInputs.variables], environment, start)
  const dropped = init.map((_, i) => fixed[i] || merged[i])
  const outputs = whole.jaxpr.outputs.filter((_, i) => dropped[i] !== true)
  const results = to.all(
    'scan',
    [...constInputs.operands, ...init.filter((_, i) => !dropped[i]), ...xInputs.operands],
    {
      ...params,
      jaxpr: closed({ ...whole.jaxpr, outputs }),
      numConsts: constInputs.operands.length,
      numCarry: carry.length,
    },
    equation.source,
  )
  const kept = results[Symbol.iterator]()
  const last: Atom[] = []
  init.forEach((operand, i) => {
    last.push(fixed[i] ? operand : merged[i] ? last[twinOf[i]!]! : kept.next().value!)
  })
  return [...last, ...kept]
}

/** A value of fewer bytes, truth values or small integers, that another is converted from. */
function narrowerThan(value: Atom, made: Equation | undefined): Atom | undefined {
  const operand = made?.primitive.name === 'convert_element_type' ? made.inputs[0] : undefined
  if (operand === undefined || operand instanceof Literal || bytesOf(operand.aval.dtype) > 1) return undefined
  return bytesOf(value.aval.dtype) > 1 ? operand : undefined
}
/** Results that are converted from narrower values are stacked as these, and converted where they are read. */
const narrowResults: Rule = (equation, to) => {
  const { params, next, ys } = partsOf(equation)
  const { jaxpr } = params
  const wide = new Set<Atom>(ys.filter((y) => bytesOf(y.aval.dtype) > 1))
  if (wide.size === 0) return undefined
  const narrower = new Map<Atom, Atom>()
  for (const made of jaxpr.jaxpr.equations) {
    const [result] = made.outputs
    const operand = result && wide.has(result) ? narrowerThan(result, made) : undefined
    if (operand !== undefined) narrower.set(result!, operand)
  }
  if (narrower.size === 0) return undefined
  const outputs = [...next, ...ys.map((y) => narrower.get(y) ?? y)]
  const body = closed({ ...jaxpr.jaxpr, outputs }, jaxpr.consts)
  const results = to.all('scan', equation.inputs, { ...params, jaxpr: body }, equation.source)
  return results.map((result, i) => {
    const { dtype, weakType } = (next[i] ?? ys[i - next.length]!).aval
    if (result.aval.dtype === dtype) return result
    return to.make('convert_element_type', [result], { newDtype: dtype, weakType })
  })
}

/** Stacked results that are known without the loop: constants, scanned operands themselves, and those stacked twice. */
const fewerResults: Rule = (equation, to) => {
  const { params, consts, xs, constVars, xVars, next, ys } = partsOf(equation)
  const known = (y: Atom): (() => Atom) | undefined => {
    if (y instanceof Literal) return () => stack(y, params.length, to)
    const [c, x] = [constVars.indexOf(y), xVars.indexOf(y)]
    if (c >= 0) return () => stack(consts[c]!, params.length, to)
    return x >= 0 ? () => xs[x]! : undefined
  }
  const sources = ys.map(known)
  const isKept = ys.map((y, i) => sources[i] === undefined && ys.indexOf(y) === i)
  if (isKept.every(Boolean)) return undefined
  const outputs = [...next, ...ys.filter((_, i) => isKept[i])]
  const results = to.all(
    'scan',
    equation.inputs,
    { ...params, jaxpr: closed({ ...params.jaxpr.jaxpr, outputs }) },
    equation.source,
  )
  const kept = results.slice(next.length)[Symbol.iterator]()
  const stacked: Atom[] = []
  ys.forEach((y, i) => {
    const source = sources[i]
    stacked.push(source !== undefined ? source() : isKept[i] ? kept.next().value! : stacked[ys.indexOf(y)]!)
  })
  return [...results.slice(0, next.length), ...stacked]
}

export const scanRules: readonly Rule[] = [noSteps, oneStep, fewerOperands, narrowResults, fewerResults]
