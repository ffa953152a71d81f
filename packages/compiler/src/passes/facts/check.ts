/** Holds what is known of a program's values against the values. */
import { type ClosedJaxpr, InvariantError, type NDArray, type Var, closed, evalJaxpr, printJaxpr } from '@fluxion/core'
import { factsOf } from './factsOf.ts'

/** Demand that every fact of every variable, those of inner programs aside, is true of its values for these arguments. */
export function checkFacts(program: ClosedJaxpr, args: readonly NDArray[]): void {
  const { jaxpr, consts } = program
  const facts = factsOf(program)
  const variables = jaxpr.equations.flatMap(({ outputs }) =>
    outputs.filter((variable): variable is Var => variable !== null),
  )
  const shown = closed({ ...jaxpr, outputs: variables }, consts)
  evalJaxpr(shown, args).forEach((values, i) => {
    const { zeroOne, constant, range } = facts.of(variables[i]!)
    const data = values.dataSync()
    const holds = data.every(
      (x) =>
        (!zeroOne || Object.is(x, 0) || x === 1) &&
        (!constant || Object.is(x, data[0])) &&
        (range === undefined || (range[0] <= x && x <= range[1])),
    )
    if (holds) return
    const claim = JSON.stringify({ zeroOne, constant, range })
    throw new InvariantError(
      `checkFacts: expected ${claim} of result ${i}, got ${data.join()} in\n${printJaxpr(shown)}`,
    )
  })
}
