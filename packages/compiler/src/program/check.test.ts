// What the check of programs lets pass and what it refuses.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { tapes } from '../loops/kernels.testing.ts'
import { checkProgram } from './check.ts'
import { Counter, type Place, type Program, Slot, type Step, placeOf } from './program.ts'
import { combining, filledOf, filling, randomProgram } from './programs.testing.ts'

const [x, out] = [new Slot('float32', 4), new Slot('float32', 4)]
const checked = (...steps: readonly Step[]): unknown =>
  checkProgram({ name: 'program', inputs: [x], captured: [], outputs: [], steps } satisfies Program)
const copy = (from: Place, to: Place, length = 4): Step => ({ op: 'copy', from, to, length })

test('programs that follow the rules pass', () => {
  fc.assert(
    fc.property(tapes, (tape) => {
      const program = randomProgram(tape)
      expect(checkProgram(program)).toBe(program)
    }),
    { numRuns: 100 },
  )
})

test('places lie in their slots at every count', () => {
  const counter = new Counter(4)
  const moving = (stride: number, alternate?: true): Place => ({
    slot: x,
    offset: 0,
    moves: [{ counter, stride, ...(alternate === true ? { alternate } : {}) }],
  })
  const loop = (...body: readonly Step[]): Step => ({ op: 'loop', counter, body })
  expect(() => checked(loop(copy(moving(1), placeOf(out), 1)))).not.toThrow()
  expect(() => checked(loop(copy(moving(2), placeOf(out), 1)))).toThrow(
    'program: copy: expected 1 elements in f32[4], got those from 0 to 6 on',
  )
  expect(() => checked(loop(copy(moving(2, true), placeOf(out), 2)))).not.toThrow()
  expect(() => checked(loop(copy(moving(-1), placeOf(out), 1)))).toThrow('got those from -3 to 0 on')
  expect(() => checked(copy(moving(1), placeOf(out), 1))).toThrow('expected places to move with loops around them')
  expect(() => checked(loop(loop()))).toThrow('expected a counter for each loop')
})

test('arguments fit the parameters of kernels', () => {
  const step = combining(filledOf(out), filledOf(x), filledOf(x)) as Step & { op: 'launch' }
  expect(() => checked(step)).not.toThrow()
  expect(() => checked({ ...step, args: step.args.slice(1) })).toThrow('launch combine: expected 3 arguments, got 2')
  const whole = new Slot('int32', 4)
  expect(() => checked({ ...step, args: [placeOf(x), placeOf(x), placeOf(whole)] })).toThrow(
    'expected float32 as out, got int32',
  )
  const short = new Slot('float32', 3)
  expect(() => checked({ ...step, args: [placeOf(x), placeOf(x), placeOf(short)] })).toThrow(
    'expected 4 elements in f32[3], got those from 0 on',
  )
})

test('what is read was written before, whichever way the program took', () => {
  const [a, index, flag] = [new Slot('float32', 4), new Slot('int32', 1), new Slot('bool', 1)]
  const use = copy(placeOf(a), placeOf(out))
  const fill = filling(filledOf(a), 1)
  const unwritten = 'program: copy: expected f32[4] to be written before it is read'
  expect(() => checked(use)).toThrow(unwritten)
  const chosen = filling(filledOf(index), 0)
  const both: Step = { op: 'switch', index: placeOf(index), branches: [[fill], [fill]] }
  expect(() => checked(chosen, both, use)).not.toThrow()
  expect(() => checked(chosen, { ...both, branches: [[fill], []] }, use)).toThrow(unwritten)
  expect(() => checked({ op: 'loop', counter: new Counter(2), body: [use, fill] })).toThrow(unwritten)
  expect(() => checked({ op: 'loop', counter: new Counter(0), body: [fill] }, use)).toThrow(unwritten)
  const test = [filling(filledOf(flag), 0)]
  const turns: Step = { op: 'while', test, flag: placeOf(flag), body: [fill] }
  expect(() => checked(turns)).not.toThrow()
  expect(() => checked(turns, use)).toThrow(unwritten)
  expect(() => checked({ ...turns, test: [] })).toThrow('program: while: expected bool[1] to be written')
  expect(() => checkProgram({ name: 'program', inputs: [], captured: [], outputs: [out], steps: [] })).toThrow(
    'expected output 0 to be written',
  )
})

test('copies keep dtypes and do not overlap; flags and indices are what they must be', () => {
  expect(() => checked(copy(placeOf(x), placeOf(new Slot('int32', 4))))).toThrow(
    'expected a place of float32, got int32',
  )
  const later: Place = { slot: x, offset: 1, moves: [] }
  expect(() => checked(copy(placeOf(x), later, 2))).toThrow('expected places that do not overlap')
  expect(() => checked(copy(placeOf(x), { ...later, offset: 2 }, 2))).not.toThrow()
  expect(() => checked({ op: 'switch', index: placeOf(x), branches: [[]] })).toThrow(
    'expected an int32 or a bool as index',
  )
  expect(() => checked({ op: 'while', test: [], flag: placeOf(x), body: [] })).toThrow('expected a bool as flag')
})

test('kernels are checked too', () => {
  const step = filling(filledOf(out), 1) as Step & { op: 'launch' }
  expect(() => checked({ ...step, kernel: { ...step.kernel, grid: [] } as never })).toThrow(
    'fill: expected i inside of its loop',
  )
})
