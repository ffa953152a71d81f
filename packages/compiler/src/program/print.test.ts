// Programs as text.
import { expect, test } from 'vitest'
import { printProgram } from './print.ts'
import { Counter, type Place, Slot, type Step, placeOf } from './program.ts'
import { combining, filledOf, filling } from './programs.testing.ts'

test('a program prints its slots, its steps with their places, and its kernels', () => {
  const counter = new Counter(5)
  const [x, out, index] = [new Slot('float32', 4), new Slot('float32', 20), new Slot('int32', 1)]
  const [carry, flag] = [new Slot('float32', 8), new Slot('bool', 1)]
  const half = (offset: number, stride: number): Place => ({
    slot: carry,
    offset,
    moves: [{ counter, stride, alternate: true }],
  })
  const element = { slot: out, offset: 16, moves: [{ counter, stride: -4 }] }
  const step = combining({ place: half(4, -4), length: 4 }, { place: half(0, 4), length: 4 }, filledOf(x))
  const steps: Step[] = [
    { op: 'copy', from: placeOf(x), to: placeOf(carry), length: 4 },
    { op: 'loop', counter, body: [step, { op: 'copy', from: half(4, -4), to: element, length: 4 }] },
    { op: 'switch', index: placeOf(index), branches: [[], [filling(filledOf(flag), 1)]] },
    { op: 'while', test: [filling(filledOf(flag), 0)], flag: placeOf(flag), body: [] },
  ]
  const program = { name: 'train', inputs: [x, index], captured: [], outputs: [out], steps }
  expect(`\n${printProgram(program)}\n`).toMatchInlineSnapshot(`
    "
    program train(in0: f32[4], in1: i32[1]) -> (out0: f32[20])
      arena of 64 bytes:
        t0: f32[8] at 0
        t1: bool[1] at 0
      copy 4 from in0 to t0
      loop n < 5:
        launch combine(t0 + 4*(n % 2), in0, t0 + 4 - 4*(n % 2))
        copy 4 from t0 + 4 - 4*(n % 2) to out0 + 16 - 4*n
      switch in1:
        case 0:
          pass
        case 1:
          launch fill(t1)
      while:
        launch fill1(t1)
      t1 do:
        pass
    nest combine(x: f32[4], y: f32[4], out: f32[4])
      parallel i < 4:
        out[i] = x[i] + y[i] * 2.0
    nest fill(out: bool[1])
      parallel i < 1:
        out[0] = true
    nest fill1(out: bool[1])
      parallel i < 1:
        out[0] = false
    "
  `)
})
