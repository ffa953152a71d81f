// Carries that loops stack: where they lie, and that the stacks are what they were.
import { type ClosedJaxpr, type HostArray, type NDArray, evalJaxpr, lax } from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filled, trace } from '../passes/passes.testing.ts'
import { inline } from '../passes/inline.ts'
import { checkProgram } from '../program/check.ts'
import { interpretProgram } from '../program/interpret.ts'
import { walkSteps } from '../program/places.ts'
import type { Place, Program, Step } from '../program/program.ts'
import { hostFunctions } from './hostFunctions.ts'
import { lower } from './lower.ts'
import type { Target } from './lowering.ts'

const cpu: Target = { name: 'wasm', parallel: false, host: true }
const lowered = (program: ClosedJaxpr, target = cpu): Program => checkProgram(lower(inline(program), target))
function run(program: Program, args: readonly NDArray[]): number[][] {
  const inputs = args.map((x): HostArray => ({ shape: [x.size], dtype: x.dtype, data: x.dataSync() }))
  return interpretProgram(program, inputs, { host: hostFunctions }).map(({ data }) => [...data])
}
function loopsOf({ steps }: Program): Extract<Step, { op: 'loop' }>[] {
  const found: Extract<Step, { op: 'loop' }>[] = []
  walkSteps(steps, (step) => void (step.op === 'loop' && found.push(step)))
  return found
}
/** Places in the body of a loop that is the only one. */
function placesIn(program: Program): readonly Place[] {
  const [loop] = loopsOf(program)
  return loop!.body.flatMap((step) =>
    step.op === 'launch' ? step.args : step.op === 'copy' ? [step.from, step.to] : [],
  )
}
const alternates = (places: readonly Place[]): boolean =>
  places.some(({ moves }) => moves.some((move) => move.alternate))

/** A recurrence by a product whose state is stacked before and after a step; what is made of stacks is in memory of its own. */
const recurrence =
  (before: boolean, after: boolean, reverse = false) =>
  (w: NDArray, xs: NDArray): NDArray[] => {
    const step = (h: NDArray, x: NDArray): [NDArray, NDArray[]] => {
      const next = h.matmul(w).add(x)
      return [next, [...(before ? [h] : []), ...(after ? [next] : [])]]
    }
    const [last, stacks] = lax.scan(step, filled(2, 3), xs, { reverse })
    return [last, ...(stacks as NDArray[]).map((stack) => stack.mul(2))]
  }
const args = [filled(3, 3).mul(0.3), filled(5, 2, 3)]

test('a carry that is stacked, before or after a step or both, lies in one stack, which no step copies', () => {
  for (const [before, after] of [
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const program = lowered(trace(recurrence(before, after), args))
    expect(alternates(placesIn(program))).toBe(false)
    expect(loopsOf(program)[0]!.body.map(({ op }) => op)).toEqual(['launch'])
  }
  expect(alternates(placesIn(lowered(trace(recurrence(false, false), args))))).toBe(true)
})

test('results of the program, and what GPUs run, are stacked apart from the carry', () => {
  const own = trace((w, xs) => lax.scan((h: NDArray, x: NDArray) => [h.matmul(w!).add(x), h], filled(2, 3), xs!), args)
  expect(alternates(placesIn(lowered(own)))).toBe(true)
  const gpu: Target = { name: 'webgpu', parallel: true, host: false }
  expect(alternates(placesIn(lowered(trace(recurrence(true, true), args), gpu)))).toBe(true)
})

test('stacks of carries are what the reference stacks, forwards and backwards, in loops of loops, whatever else the carries are', () => {
  fc.assert(
    fc.property(
      fc.record({
        length: fc.integer({ min: 1, max: 4 }),
        reverse: fc.boolean(),
        // What each of two carries becomes, and what is stacked of them.
        next: fc.tuple(fc.nat(3), fc.nat(3)),
        stacks: fc.array(fc.nat(4), { maxLength: 4 }),
        outer: fc.boolean(),
      }),
      ({ length, reverse, next, stacks, outer }) => {
        const f = (w: NDArray, xs: NDArray): NDArray[] => {
          const step = ([a, b]: NDArray[], x: NDArray): [NDArray[], NDArray[]] => {
            const choices = [a!, b!, a!.matmul(w).add(x), b!.add(a!.sum({ axis: 0 }))]
            const carries = next.map((i) => choices[i]!)
            return [carries, stacks.map((i) => [...choices, x][i]!)]
          }
          const inner = (start: NDArray[]): NDArray[] => {
            const [last, ys] = lax.scan(step, start, xs, { reverse })
            return [...last, ...ys.map((y) => y.sum({ axis: 0 }).add(y.max({ axis: 0 })))]
          }
          const start = [filled(2, 3), filled(2, 3).add(1)]
          if (!outer) return inner(start)
          const again = (carry: NDArray[]): [NDArray[], NDArray[]] => {
            const [a, b, ...rest] = inner(carry)
            return [[a!, b!], rest]
          }
          const [last, ys] = lax.scan(again, start, null, { length: 2 })
          return [...last, ...ys]
        }
        const given = [args[0]!, filled(length, 2, 3)]
        const program = trace(f as never, given)
        const expected = evalJaxpr(program, given).map((x) => [...x.dataSync()])
        run(lowered(program), given).forEach((values, i) =>
          values.forEach((value, k) => expect(value).toBeCloseTo(expected[i]![k]!, 9)),
        )
      },
    ),
    { numRuns: 100 },
  )
})
