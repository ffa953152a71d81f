// What programs mean: steps, carries, branches and places, as the interpreter has it.
import { np } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { tapes } from '../loops/kernels.testing.ts'
import { interpretProgram } from './interpret.ts'
import { Counter, type Program, Slot, type Step, placeOf } from './program.ts'
import { combining, filledOf, filling, inputsOf, randomProgram } from './programs.testing.ts'

const program = (parts: Partial<Program>): Program => ({
  name: 'program',
  inputs: [],
  captured: [],
  outputs: [],
  steps: [],
  ...parts,
})
const input = (...data: number[]) => ({ shape: [data.length], dtype: 'float32' as const, data: new Float32Array(data) })
const [x, out] = [new Slot('float32', 2), new Slot('float32', 2)]

test('random programs give the same each time, and leave their inputs alone', () => {
  fc.assert(
    fc.property(tapes, (tape) => {
      const random = randomProgram(tape)
      const inputs = inputsOf(random)
      const first = interpretProgram(random, inputs)
      expect(interpretProgram(random, inputs)).toEqual(first)
      expect(inputs).toEqual(inputsOf(random))
    }),
    { numRuns: 50 },
  )
})

test('a loop alternates between the halves of its carry, and stacks its results', () => {
  const counter = new Counter(3)
  const [carry, stacked] = [new Slot('float32', 4), new Slot('float32', 6)]
  const from = {
    place: { slot: carry, offset: 0, moves: [{ counter, stride: 2, alternate: true }] },
    length: 2,
  } as const
  const to = {
    place: { slot: carry, offset: 2, moves: [{ counter, stride: -2, alternate: true }] },
    length: 2,
  } as const
  const element = { slot: stacked, offset: 4, moves: [{ counter, stride: -2 }] }
  const steps: Step[] = [
    { op: 'copy', from: placeOf(x), to: placeOf(carry), length: 2 },
    {
      op: 'loop',
      counter,
      // x ← x + 2x
      body: [combining(to, from, from), { op: 'copy', from: to.place, to: element, length: 2 }],
    },
    { op: 'copy', from: { slot: carry, offset: 2, moves: [] }, to: placeOf(out), length: 2 },
  ]
  const results = interpretProgram(program({ inputs: [x], outputs: [out, stacked], steps }), [input(1, 2)])
  expect(results.map(({ data }) => [...data])).toEqual([
    [27, 54],
    [27, 54, 9, 18, 3, 6],
  ])
})

test('a condition runs the branch at the index, clamped to those there are', () => {
  const index = new Slot('int32', 1)
  const branches = [10, 20, 30].map((value) => [filling(filledOf(out), value)])
  const steps: Step[] = [{ op: 'switch', index: placeOf(index), branches }]
  const at = (value: number): number =>
    interpretProgram(program({ inputs: [index], outputs: [out], steps }), [
      { shape: [], dtype: 'int32', data: new Int32Array([value]) },
    ])[0]!.data[0]!
  expect([-5, 0, 1, 2, 3].map(at)).toEqual([10, 10, 20, 30, 30])
})

test('constants that a program brings along are inputs', () => {
  const captured = [{ slot: x, value: np.array([3, 4]) }]
  const steps = [combining(filledOf(out), filledOf(x), filledOf(x))]
  const [result] = interpretProgram(program({ captured, outputs: [out], steps }), [])
  expect([...result!.data]).toEqual([9, 12])
})

test('copies that overlap and inputs that do not fit are refused', () => {
  const slot = new Slot('float32', 3)
  const steps: Step[] = [
    filling(filledOf(slot), 1),
    { op: 'copy', from: placeOf(slot), to: { slot, offset: 1, moves: [] }, length: 2 },
  ]
  expect(() => interpretProgram(program({ steps }), [])).toThrow('program: a copy overlaps itself')
  expect(() => interpretProgram(program({ inputs: [x] }), [input(1)])).toThrow('input 0 is float32[2], got float32[1]')
})
