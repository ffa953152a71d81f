/** What tests of passes share: programs made, run before and after, and looked at. */
import { type ClosedJaxpr, type NDArray, checkJaxpr, evalJaxpr, makeJaxpr, np, sizeOf } from '@fluxion/core'
import { expect } from 'vitest'
import { inline } from './inline.ts'
import type { Pass } from './rewrite.ts'
import { tidy } from './tidy.ts'

type Traceable = (...args: NDArray[]) => NDArray | readonly NDArray[]
export const trace = (f: Traceable, args: readonly NDArray[]): ClosedJaxpr => makeJaxpr(f)(...args)
/** A program, simplified, and after some passes, after each of which it is checked and simplified again. */
export function after(program: ClosedJaxpr, ...passes: readonly Pass[]): ClosedJaxpr {
  let current = tidy(inline(program))
  for (const pass of passes) {
    current = pass(current)
    checkJaxpr(current)
    current = tidy(current)
    checkJaxpr(current)
  }
  return current
}
export const namesOf = ({ jaxpr }: ClosedJaxpr): string[] => jaxpr.equations.map(({ primitive }) => primitive.name)

/** Values between −2 and 2, different everywhere. */
export const filled = (...shape: number[]): NDArray =>
  np
    .sin(np.arange(sizeOf(shape)).astype('float64'))
    .mul(2)
    .reshape(shape)

/** Demand that two programs give the same, up to rounding in float64. */
export function expectSame(program: ClosedJaxpr, changed: ClosedJaxpr, args: readonly NDArray[]): void {
  const [expected, got] = [evalJaxpr(program, args), evalJaxpr(changed, args)]
  expect(got.map(({ shape, dtype }) => [shape, dtype])).toEqual(expected.map(({ shape, dtype }) => [shape, dtype]))
  got.forEach((x, i) => {
    const other = expected[i]!.dataSync()
    x.dataSync().forEach((value, k) =>
      expect(Math.abs(value - other[k]!), `${value} and ${other[k]}`).toBeLessThan(1e-9),
    )
  })
}
