// Which scans become nests, and how many.
import { type NDArray, lax, makeJaxpr, np } from '@fluxion/core'
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import type { Kernel } from '../loops/ir.ts'
import type { Step } from '../program/program.ts'

const target = { name: 'wasm', parallel: false, host: true } as const
const stepsOf = (f: (...args: NDArray[]) => unknown, ...args: NDArray[]): readonly Step[] =>
  compile(makeJaxpr(f as never)(...(args as never[])), target).steps
const kernelsOf = (steps: readonly Step[]): Kernel[] =>
  steps.flatMap((step) => (step.op === 'launch' ? [step.kernel] : []))
const extents = (kernel: Kernel): number[] => (kernel.kind === 'nest' ? kernel.grid.map(({ extent }) => extent) : [])
const [xs, state] = [np.ones([5, 2, 3]), np.zeros([2, 3])]
const step = (v: NDArray, x: NDArray): [NDArray, NDArray] => [v.mul(0.5).add(x), np.greater(v, 1)]

test('a scan of operations on single elements is one nest that goes through the steps inside', () => {
  const steps = stepsOf((v, x) => lax.scan(step, v!, x!), state, xs)
  expect(steps.map(({ op }) => op)).toEqual(['launch'])
  const [kernel] = kernelsOf(steps)
  expect(extents(kernel!)).toEqual([6])
  expect(kernel!.body.map(({ op }) => op)).toEqual(['assign', 'for', 'store'])
})
test('each number of elements has a nest of its own, a counter is counted in those that use it', () => {
  const f = (v: NDArray, u: NDArray, x: NDArray): unknown =>
    lax.scan(
      ([t, a, b]: [NDArray, NDArray, NDArray], y: NDArray): [[NDArray, NDArray, NDArray], NDArray] => [
        [t.add(1), a.add(y.mul(t)), b.mul(0.5).add(1)],
        b,
      ],
      [np.asarray(0), v, u],
      x,
    )
  const kernels = kernelsOf(stepsOf(f as never, state, np.zeros([4]), xs))
  expect(kernels.map(extents).sort()).toEqual([[], [4], [6]])
  const counting = kernels.filter(({ body }) => body.filter(({ op }) => op === 'assign').length > 1)
  expect(counting.map(extents)).toEqual([[6]])
})
test('steps that need nothing of each other are points of the grid', () => {
  const f = (x: NDArray, y: NDArray): unknown =>
    lax.scan((none: null, [a, b]: [NDArray, NDArray]): [null, NDArray] => [none, np.sin(a).mul(b)], null, [x, y])
  expect(kernelsOf(stepsOf(f as never, xs, xs)).map(extents)).toEqual([[30]])
})
test('what mixes elements of a carry at each step is a loop', () => {
  const mixing: readonly ((v: NDArray) => NDArray)[] = [
    (v) => np.matmul(v, np.ones([3, 3])),
    (v) => v.sub(np.sum(v)),
    (v) => np.flip(v, { axis: 0 }),
    (v) => np.cumsum(v, { axis: 1 }),
  ]
  for (const mix of mixing) {
    const f = (v: NDArray, x: NDArray): unknown =>
      lax.scan((u: NDArray, y: NDArray): [NDArray, NDArray] => step(mix(u), y), v, x)
    expect(stepsOf(f as never, state, xs).some(({ op }) => op === 'loop')).toBe(true)
  }
})
test('a carry that another one reads is only changed after it', () => {
  const f = (v: NDArray, u: NDArray, x: NDArray): unknown =>
    lax.scan(([a, b]: [NDArray, NDArray], y: NDArray): [[NDArray, NDArray], null] => [[b.add(y), a], null], [v, u], x)
  const [kernel] = kernelsOf(stepsOf(f as never, state, state, xs))
  const loop = kernel!.body.find((statement) => statement.op === 'for')!
  const assigned =
    loop.op === 'for' ? loop.body.map((inner) => (inner.op === 'assign' ? inner.local.name : inner.op)) : []
  expect(assigned).toEqual(['n', 'c', 'c'])
})
