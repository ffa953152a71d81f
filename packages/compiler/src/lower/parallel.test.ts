// Which scans become parallel steps, and that those give what the scan does.
import { type ClosedJaxpr, type HostArray, type NDArray, evalJaxpr, lax, np } from '@fluxion/core'
import { expect, test } from 'vitest'
import { trace } from '../passes/passes.testing.ts'
import { checkProgram } from '../program/check.ts'
import { interpretProgram } from '../program/interpret.ts'
import { walkSteps } from '../program/places.ts'
import type { Parallel, Program } from '../program/program.ts'
import { inline } from '../passes/inline.ts'
import { hostFunctions } from './hostFunctions.ts'
import { lower } from './lower.ts'
import type { Target } from './lowering.ts'

const wasm: Target = { name: 'wasm', parallel: false, host: true }
const lowered = (program: ClosedJaxpr, target = wasm): Program => checkProgram(lower(inline(program), target))
function parallelsOf({ steps }: Program): Parallel[] {
  const found: Parallel[] = []
  walkSteps(steps, (step) => void (step.op === 'parallel' && found.push(step)))
  return found
}
function run(program: Program, args: readonly NDArray[]): number[][] {
  const inputs = args.map((x): HostArray => ({ shape: [x.size], dtype: x.dtype, data: x.dataSync() }))
  return interpretProgram(program, inputs, { host: hostFunctions }).map(({ data }) => [...data])
}
/** Demand the same as from the reference, but for the order of sums. */
function expectSame(program: ClosedJaxpr, args: readonly NDArray[]): Program {
  const steps = lowered(program)
  const expected = evalJaxpr(program, args).map((x) => [...x.dataSync()])
  run(steps, args).forEach((values, i) =>
    values.forEach((value, k) => {
      const other = expected[i]![k]!
      if (Object.is(value, other)) return
      expect(Math.abs(value - other), `result ${i}: ${value} and ${other}`).toBeLessThan(1e-4 * (1 + Math.abs(other)))
    }),
  )
  return steps
}

const xs = np.sin(np.arange(20 * 64 * 16).astype('float32')).reshape([20, 64, 16])
const w = np.cos(np.arange(16 * 16).astype('float32')).reshape([16, 16])
/** Work enough to be worth it, not to be done element by element. */
const layer = (x: NDArray): NDArray => np.tanh(x.matmul(w)).matmul(w)

test('sums, extremes and stacked results of a scan come from groups', () => {
  const program = trace(
    (all) => {
      const [[sum, most, least, any], ys] = lax.scan(
        ([total, high, low, truth]: NDArray[], x: NDArray) => {
          const y = layer(x)
          const carry = [
            total!.add(x.transpose().matmul(y)),
            np.maximum(y.max(), high!),
            np.minimum(low!, y.min({ axis: 0 })),
            np.logicalOr(truth!, np.greater(y.sum(), 1e9)),
          ]
          return [carry, y.sum({ axis: 1 })] as const
        },
        [np.ones([16, 16]), np.array(-5), np.ones([16]).mul(3), np.array(false)],
        all!,
        { reverse: true },
      )
      return [sum!, most!, least!, any!, ys]
    },
    [xs],
  )
  const [parallel, more] = parallelsOf(expectSame(program, [xs]))
  expect(more).toBeUndefined()
  expect([parallel!.group.length, parallel!.counter.length]).toEqual([16, 20])
  // A sum is gathered by the kernel that makes what is added.
  const added = parallel!.body.filter((step) => step.op === 'launch' && step.kernel.name.includes('add'))
  expect(added.map((step) => step.op === 'launch' && step.kernel.kind)).toEqual(['product'])
})
test('scans without carries are maps', () => {
  const program = trace((all) => lax.map(layer, all!), [xs])
  expect(parallelsOf(expectSame(program, [xs]))).toHaveLength(1)
})
test('what is scattered into a carry is gathered too', () => {
  const program = trace(
    (all) =>
      lax.scan(
        (total: NDArray, x: NDArray) => [total.at(x.argmax({ axis: 1 })).add(layer(x)), undefined] as const,
        np.zeros([16, 16]),
        all!,
      )[0],
    [xs],
  )
  expect(parallelsOf(expectSame(program, [xs]))).toHaveLength(1)
})
test('infinities, NaN and zeros with signs are what they are in order', () => {
  const values = np.array([-0, -0, Infinity, NaN])
  const program = trace(
    (all) =>
      lax.scan(
        ([sum, most]: NDArray[], x: NDArray) => {
          const nothing = layer(x).sum().mul(0)
          return [
            [sum!.add(values.sub(np.maximum(nothing, -0))), np.maximum(most!, values)] as NDArray[],
            undefined,
          ] as const
        },
        [np.zeros([4]).mul(-1), np.array([-1, 2, 3, 4])],
        all!,
      )[0],
    [xs],
  )
  const steps = lowered(program)
  expect(parallelsOf(steps)).toHaveLength(1)
  expect(run(steps, [xs])).toEqual(evalJaxpr(program, [xs]).map((x) => [...x.dataSync()]))
})
test('counters are known to every iteration', () => {
  const program = trace(
    (all) => {
      const [[i, down, sum], ys] = lax.scan(
        ([n, m, total]: NDArray[], x: NDArray) => {
          const y = layer(x).sum().add(n!.mul(m!).astype('float32'))
          return [[n!.add(2), m!.add(-1), total!.add(y)] as NDArray[], n!] as const
        },
        [np.array(-3), np.array(7), np.array(0.5)].map((start, k) => start.astype(k < 2 ? 'int32' : 'float32')),
        all!,
      )
      return [i!, down!, sum!, ys]
    },
    [xs],
  )
  expect(parallelsOf(expectSame(program, [xs]))).toHaveLength(1)
})
test('what depends on the order stays a loop', () => {
  const loops = (f: (carry: NDArray, x: NDArray) => readonly [NDArray, unknown], init = np.zeros([16, 16])): number =>
    parallelsOf(lowered(trace((all) => lax.scan(f, init, all!)[0], [xs]))).length
  const sum = (x: NDArray): NDArray => x.transpose().matmul(layer(x))
  expect(loops((c, x) => [c.add(sum(x)), undefined])).toBe(1)
  expect(loops((c, x) => [c.sub(sum(x)), undefined])).toBe(0)
  expect(loops((c, x) => [sum(x).sub(c), undefined])).toBe(0)
  expect(loops((c, x) => [c.add(sum(x).mul(c)), undefined])).toBe(0)
  expect(loops((c, x) => [c.add(c), sum(x)])).toBe(0)
  expect(loops((c, x) => [c.add(sum(x)), c])).toBe(0)
  // Little work, or much to gather for it.
  expect(loops((c, x) => [c.add(np.dot(x.get(0), x.get(1))), undefined], np.array(0))).toBe(0)
  expect(loops((c, x) => [c.add(sum(x).sum()), undefined], np.zeros([512, 512]))).toBe(0)
  // Halves lose too much in another order.
  expect(loops((c, x) => [c.add(sum(x).astype('float16')), undefined], np.zeros([16, 16], { dtype: 'float16' }))).toBe(
    0,
  )
})
test('groups hold no groups: a loop in one is a loop', () => {
  const program = trace(
    (all) => lax.map((x: NDArray) => lax.map(layer, np.stack([x, x, x, x, x, x, x, x])), all!),
    [xs],
  )
  expect(parallelsOf(lowered(program))).toHaveLength(1)
})
test('targets whose grids run in parallel have no groups', () => {
  const program = trace((all) => lax.map(layer, all!), [xs])
  expect(parallelsOf(lowered(program, { name: 'webgpu', parallel: true, host: false }))).toHaveLength(0)
})
