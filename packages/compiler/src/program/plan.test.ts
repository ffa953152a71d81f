// Temporaries that are alive together do not overlap, and few bytes do for all.
import { type TypedArray, bytesOf } from '@fluxion/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { tapes } from '../loops/kernels.testing.ts'
import { interpretProgram } from './interpret.ts'
import { lifetimesOf, planMemory } from './plan.ts'
import { Counter, type Program, Slot, type Step, placeOf } from './program.ts'
import { combining, filledOf, inputsOf, randomProgram } from './programs.testing.ts'

const views = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int16: Int16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

test('a program does the same with its temporaries in one arena, full of garbage, as with each by itself', () => {
  let shared = 0
  fc.assert(
    fc.property(tapes, (tape) => {
      const program = randomProgram(tape)
      const { offsets, bytes, privates, privateBytes } = planMemory(program, 8)
      const [arena, own] = [bytes, privateBytes].map((length) => new Uint8Array(length).fill(0x5b).buffer)
      const memoryOf = (slot: Slot): TypedArray => {
        const View = views[slot.dtype as keyof typeof views]
        const area = privates.has(slot) ? own! : arena!
        return offsets.has(slot) ? new View(area, offsets.get(slot)!, slot.length) : new View(slot.length)
      }
      const inputs = inputsOf(program)
      expect(interpretProgram(program, inputs, { memoryOf })).toEqual(interpretProgram(program, inputs))
      const separate = [...offsets.keys()].reduce((sum, { dtype, length }) => sum + length * bytesOf(dtype), 0)
      if (bytes < separate) shared++
    }),
    { numRuns: 200 },
  )
  // The test would prove nothing if every temporary had bytes of its own.
  expect(shared).toBeGreaterThan(70)
})

test('no two temporaries that are alive at the same time overlap', () => {
  fc.assert(
    fc.property(tapes, fc.constantFrom(1, 16, 64), (tape, alignment) => {
      const program = randomProgram(tape)
      const { offsets, bytes, privates, privateBytes } = planMemory(program, alignment)
      const placed = [...lifetimesOf(program)].map(([slot, life]) => {
        const from = offsets.get(slot)!
        return { ...life, from, to: from + slot.length * bytesOf(slot.dtype), own: privates.has(slot) }
      })
      placed.forEach((a, at) => {
        expect(a.from % alignment).toBe(0)
        expect(a.to).toBeLessThanOrEqual(a.own ? privateBytes : bytes)
        for (const b of placed.slice(at + 1)) {
          const together = a.own === b.own && a.first <= b.last && b.first <= a.last
          if (together && a.from < b.to && b.from < a.to) expect(a).toBe(b)
        }
      })
    }),
    { numRuns: 100 },
  )
})

const floats = (length: number): Slot => new Slot('float32', length)
const [x, out] = [floats(16), floats(16)]
const chain = (...slots: readonly Slot[]): Step[] =>
  slots.slice(1).map((to, at) => combining(filledOf(to), filledOf(slots[at]!), filledOf(slots[at]!)))
const planOf = (steps: readonly Step[]): number[] => {
  const program: Program = { name: 'program', inputs: [x], captured: [], outputs: [out], steps }
  const { offsets, bytes } = planMemory(program)
  return [...offsets.values(), bytes]
}

test('a chain needs two temporaries at a time, aligned', () => {
  const [a, b, c, d] = [floats(16), floats(3), floats(16), floats(4)]
  const { bytes } = planMemory({
    name: 'p',
    inputs: [x],
    captured: [],
    outputs: [out],
    steps: chain(x, a, b, c, d, out),
  })
  expect(bytes).toBe(128)
  expect(planMemory({ name: 'p', inputs: [x], captured: [], outputs: [out], steps: chain(x, out) }).bytes).toBe(0)
})

test('branches of a condition share', () => {
  const [a, b] = [floats(16), floats(16)]
  const index = placeOf(x)
  const branches = [chain(x, a, out), chain(x, b, out)]
  expect(planOf([{ op: 'switch', index, branches }])).toEqual([0, 0, 64])
})

test('what is alive around a loop keeps its bytes through it, what one turn uses is free in the next', () => {
  const [around, inside, later] = [floats(16), floats(16), floats(16)]
  const counter = new Counter(2)
  const used = [...chain(x, around), { op: 'loop', counter, body: chain(around, inside, later, out) } as const]
  // `later` comes after `around` in each turn, but the next one reads `around` again.
  expect(planOf(used).at(-1)).toBe(192)
  const [first, second, third] = [floats(16), floats(16), floats(16)]
  expect(planOf([{ op: 'loop', counter, body: chain(x, first, second, third, out) }]).at(-1)).toBe(128)
})

test('what a loop fills turn by turn keeps its bytes through it', () => {
  const counter = new Counter(2)
  const [stacked, other] = [floats(32), floats(32)]
  const element = { place: { slot: stacked, offset: 0, moves: [{ counter, stride: 16 }] }, length: 16 }
  const turn = [combining(element, filledOf(x), filledOf(x)), combining(filledOf(out), filledOf(stacked), filledOf(x))]
  const after = chain(x, other, out)
  expect(planOf([{ op: 'loop', counter, body: [...after, ...turn] }])).toEqual([0, 128, 256])
})

test('half floats take two bytes and truth values one', () => {
  const [half, flag] = [new Slot('float16', 40), new Slot('bool', 64)]
  expect(planOf(chain(x, half, flag, out))).toEqual([0, 128, 192])
})
