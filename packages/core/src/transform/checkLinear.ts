/** Checks that a program is linear in some of its inputs, by transposing each of its equations by itself. */
import { atEquation, checkJaxpr, demand } from '../ir/check.ts'
import { type Aval, sameAval, showAval } from '../ir/aval.ts'
import { type Atom, type ClosedJaxpr, type Equation, inAvals } from '../ir/jaxpr.ts'
import { Linear } from '../primitive/define.ts'
import { isLinear, isZero } from '../primitive/rules.ts'
import { ruleOf } from '../trace.ts'
import { stage } from './staging.ts'

/**
 * Check a program, and that every equation that depends on the named inputs has a transpose with respect to all operands that do:
 * so that the program as a whole can be transposed.
 *
 * @param linear for each input whether the program is meant to be linear in it
 * @throws InvariantError that shows the equation that is not linear, with those around it
 */
export function checkLinear(program: ClosedJaxpr, linear: readonly boolean[]): void {
  checkJaxpr(program)
  const { jaxpr } = program
  demand(
    linear.length === jaxpr.inputs.length,
    () => `checkLinear: expected ${inAvals(program).length} flags, got ${linear.length}`,
  )
  const dependent = new Set<Atom>(jaxpr.inputs.filter((_, i) => linear[i]))
  jaxpr.equations.forEach((equation, index) => {
    if (!equation.inputs.some((atom) => dependent.has(atom))) return
    atEquation(jaxpr, index, () => checkTranspose(equation, dependent))
    for (const v of equation.outputs) if (v !== null) dependent.add(v)
  })
}

/** Transpose an equation on abstract cotangents and operands; its rule refuses what it is not linear in. */
function checkTranspose({ primitive, inputs, params }: Equation, dependent: ReadonlySet<Atom>): void {
  const operands = inputs.map((atom) => (dependent.has(atom) ? new Linear(atom.aval) : atom.aval))
  const results = primitive.type(
    inputs.map((atom) => atom.aval),
    params as never,
  )
  const known = operands.filter((operand): operand is Aval => !(operand instanceof Linear))
  stage(
    'checkLinear',
    (given) => {
      let next = results.length
      const args = operands.map((operand) => (operand instanceof Linear ? operand : given[next++]!))
      const cts = ruleOf(primitive, 'transpose')(given.slice(0, results.length), args, params)
      args.forEach((arg, i) => {
        const ct = cts[i]
        if (!isLinear(arg)) return
        demand(
          ct !== null && ct !== undefined,
          () => `${primitive.name}: the transpose gives no cotangent for operand ${i}`,
        )
        demand(
          isZero(ct) || sameAval(ct.aval, arg.aval),
          () => `${primitive.name}: operand ${i} is ${showAval(arg.aval)}, its cotangent ${showAval(ct.aval)}`,
        )
      })
      return []
    },
    [...results, ...known],
  )
}
