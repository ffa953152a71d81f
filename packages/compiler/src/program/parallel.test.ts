// Parallel steps: what they mean, who has which memory, and what is refused.
import { expect, test } from 'vitest'
import { checkProgram } from './check.ts'
import { costOf } from './cost.ts'
import { interpretProgram } from './interpret.ts'
import { iterationsOf } from './places.ts'
import { planMemory } from './plan.ts'
import { printProgram } from './print.ts'
import { privatesOf } from './privates.ts'
import { Counter, type Parallel, type Place, type Program, Slot, type Step, placeOf } from './program.ts'
import { type Filled, combining, filledOf, filling } from './programs.testing.ts'

/** sums[g] = Σ 3·x[i] over the group's i, and ys[i] = 3·x[i]. */
function sumsOf(iterations: number, groups: number): Program & { readonly parallel: Parallel; readonly own: Slot } {
  const [counter, group] = [new Counter(iterations), new Counter(groups)]
  const [x, sums, ys] = [new Slot('float32', iterations), new Slot('float32', groups), new Slot('float32', iterations)]
  const own = new Slot('float32', 1)
  const at = (slot: Slot, by: Counter): Filled => ({
    place: { slot, offset: 0, moves: [{ counter: by, stride: 1 }] },
    length: 1,
  })
  const parallel: Parallel = {
    op: 'parallel',
    group,
    counter,
    begin: [filling(at(sums, group), 0)],
    body: [
      combining(filledOf(own), at(x, counter), at(x, counter)),
      { op: 'copy', from: placeOf(own), to: at(ys, counter).place, length: 1 },
      // a + 2b with b the sum: the order within a group shows
      combining(at(sums, group), filledOf(own), at(sums, group)),
    ],
  }
  return { name: 'sums', inputs: [x], captured: [], outputs: [sums, ys], steps: [parallel], parallel, own }
}
const input = (...data: number[]) => ({ shape: [data.length], dtype: 'float32' as const, data: new Float32Array(data) })

test('groups of consecutive iterations gather for themselves, in order', () => {
  const results = interpretProgram(sumsOf(5, 2), [input(1, 2, 3, 4, 5)])
  // groups 0 1 and 2 3 4
  expect(results.map(({ data }) => [...data])).toEqual([
    [2 * 3 + 6, 2 * (2 * 9 + 12) + 15],
    [3, 6, 9, 12, 15],
  ])
})
test('every iteration is in one group, and no group is empty', () => {
  for (let n = 1; n < 40; n++) {
    for (let groups = 1; groups <= n; groups++) {
      const { parallel } = sumsOf(n, groups)
      const ranges = Array.from({ length: groups }, (_, g) => iterationsOf(parallel, g))
      expect(ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i))).toEqual(
        Array.from({ length: n }, (_, i) => i),
      )
      expect(ranges.every(([from, to]) => to > from)).toBe(true)
    }
  }
})
test('temporaries that only a parallel step names, and that stay where they are, are its runners’ own', () => {
  const program = sumsOf(6, 3)
  expect([...privatesOf(program).get(program.parallel)!]).toEqual([program.own])
  const { offsets, bytes, privates, privateBytes } = planMemory(program)
  expect([offsets.get(program.own), bytes, privateBytes]).toEqual([0, 0, 64])
  expect([...privates]).toEqual([program.own])
  const named: Step = { op: 'copy', from: placeOf(program.own), to: placeOf(program.outputs[0]!), length: 1 }
  expect(privatesOf({ ...program, steps: [...program.steps, named] }).get(program.parallel)!.size).toBe(0)
})
test('what groups begin with counts once a group, the rest once an iteration', () => {
  expect(costOf(sumsOf(6, 3))).toMatchObject({ kernels: 3 + 2 * 6, copies: 6, arenaBytes: 0, privateBytes: 64 })
})
test('a parallel step prints its counters and both lists of steps', () => {
  expect(printProgram(sumsOf(6, 3)).split('\nnest')[0]).toBe(
    [
      'program sums(in0: f32[6]) -> (out0: f32[3], out1: f32[6])',
      "  each runner's own 64 bytes:",
      '    t0: f32[1] at 0',
      '  parallel n < 6 in groups n1 < 3:',
      '    begin:',
      '      launch fill(out0 + 1*n1)',
      '    each:',
      '      launch combine(in0 + 1*n, in0 + 1*n, t0)',
      '      copy 1 from t0 to out1 + 1*n',
      '      launch combine1(t0, out0 + 1*n1, out0 + 1*n1)',
    ].join('\n'),
  )
})
test('groups share nothing that they write', () => {
  const program = sumsOf(6, 3)
  const { parallel, own } = program
  const checked = (change: Partial<Parallel>, ...after: readonly Step[]): unknown =>
    checkProgram({ ...program, steps: [{ ...parallel, ...change }, ...after] })
  expect(() => checked({})).not.toThrow()
  const whole: Place = placeOf(program.outputs[0]!)
  const fill = (place: Place): Step => filling({ place, length: 1 }, 0)
  expect(() => checked({ body: [...parallel.body, fill(whole)] })).toThrow(
    'expected groups to write apart, got f32[3] that they share',
  )
  const after: Step = { op: 'copy', from: placeOf(own), to: whole, length: 1 }
  expect(() => checked({}, after)).toThrow('expected groups to write apart, got f32[1] that they share')
  expect(() => checked({ body: [parallel] })).toThrow('expected no parallel step nor call of the host')
  expect(() => checked({ group: new Counter(7) })).toThrow('1 group at least, none of them empty')
})
