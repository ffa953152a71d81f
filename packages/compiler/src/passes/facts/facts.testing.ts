/** Holds what is known of a program's values against the values. */
import { type ClosedJaxpr, type NDArray, type Var, closed, evalJaxpr, printJaxpr } from '@fluxion/core'
import { expect } from 'vitest'
import { factsOf } from './factsOf.ts'

/** Demand that every fact of every variable, those of inner programs aside, is true of its values for these arguments. */
export function expectTrueFacts(program: ClosedJaxpr, args: readonly NDArray[]): void {
  const { jaxpr, consts } = program
  const facts = factsOf(program)
  const variables = jaxpr.equations.flatMap(({ outputs }) =>
    outputs.filter((variable): variable is Var => variable !== null),
  )
  const values = evalJaxpr(closed({ ...jaxpr, outputs: variables }, consts), args)
  variables.forEach((variable, i) => {
    const { zeroOne, constant, range } = facts.of(variable)
    const data = values[i]!.dataSync()
    const holds = data.every(
      (x) =>
        (!zeroOne || Object.is(x, 0) || x === 1) &&
        (!constant || Object.is(x, data[0])) &&
        (range === undefined || (range[0] <= x && x <= range[1])),
    )
    const claim = JSON.stringify({ zeroOne, constant, range })
    expect(
      holds,
      `variable ${i}: ${claim} of ${data.join()} in\n${printJaxpr(closed({ ...jaxpr, outputs: variables }, consts))}`,
    ).toBe(true)
  })
}
