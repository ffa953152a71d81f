// Axes of random programs: a program that is run by parts, along any axis that it can be cut along, gives what it gives as a whole.
import fc from 'fast-check'
import { type ClosedJaxpr, type NDArray, checkJaxpr, evalJaxpr, grad, makeJaxpr, np, vmap } from '@fluxion/core'
import { derive } from '@fluxion/compiler'
import { programs } from '@fluxion/testing'
import { env } from 'node:process'
import { expect, test } from 'vitest'
import { runByParts } from '../sweep/axes.ts'

const numRuns = env['FLUXION_FULL'] === '1' ? 1000 : 60
const timeout = numRuns * 200

type Binary = (x: NDArray, y: NDArray) => NDArray
/** Run a program by parts along each of its axes; gives how many there were. */
function checkParts(program: ClosedJaxpr, args: readonly NDArray[]): number {
  const { inputs, outputs } = program.jaxpr
  const avals = (list: typeof outputs) => list.map(({ aval }) => aval)
  const inner = { program, inputs: inputs.map((_, i) => i), outputs: outputs.map((_, k) => k) }
  let cuts = 0
  for (const factor of derive(avals(inputs), avals(outputs), [inner])) {
    const run = (span: Parameters<typeof factor.parts>[0] | undefined, given: readonly NDArray[]) => {
      const part = span === undefined ? program : factor.parts(span)[0]!
      checkJaxpr(part)
      return evalJaxpr(part, given)
    }
    if (runByParts(factor, args, run(undefined, args), (span, given) => run(span, given))) cuts++
  }
  return cuts
}
const forms: readonly (readonly [
  string,
  (f: Binary, args: readonly [NDArray, NDArray]) => [ClosedJaxpr, NDArray[]],
])[] = [
  ['a program', (f, args) => [makeJaxpr(f)(...args), [...args]]],
  [
    'its gradient',
    (f, args) => [makeJaxpr(grad((x: NDArray, y: NDArray) => np.sin(f(x, y)).sum()))(...args), [...args]],
  ],
  [
    'a batch of it, whose sum is differentiated',
    (f, [x, y]) => {
      const xs = np.stack([x, np.flip(x), x.neg(), x.mul(0.5)])
      const loss = (a: NDArray, b: NDArray) => vmap(f, { inAxes: [0, null] })(a, b).sum()
      return [makeJaxpr(grad(loss, { argnums: [0, 1] }))(xs, y), [xs, y]]
    },
  ],
]
test.each(forms)(
  '%s run by parts gives what it gives whole',
  (_, form) => {
    let cuts = 0
    fc.assert(
      fc.property(programs({ smooth: true, dtype: 'float64' }), ({ f, args }) => {
        cuts += checkParts(...form(f as Binary, args as [NDArray, NDArray]))
      }),
      { numRuns },
    )
    expect(cuts).toBeGreaterThan(numRuns / 4)
  },
  timeout,
)
