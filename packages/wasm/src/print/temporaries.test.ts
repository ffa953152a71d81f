// What kernels of one program tell each other of the values in between.
import {
  add,
  Buffer,
  buffersOf,
  convert,
  div,
  type Expr,
  f32,
  gt,
  load,
  LoopVar,
  max,
  min,
  mul,
  narrow,
  type Narrow,
  type Nest,
  placeOf,
  type Program,
  Slot,
  type Step,
  store,
  variable,
} from '@fluxion/compiler'
import { expect, test } from 'vitest'
import { rangeOf } from './ranges.ts'
import { sourceOf } from './rounding.ts'
import { mayBeNegativeZero } from './signs.ts'
import { noteTemporaries } from './temporaries.ts'

const length = 8
const i = variable(new LoopVar('i', length))
const half = (x: Expr): Narrow => narrow('float16', x) as Narrow
/** A program of two kernels: one makes a temporary from its input, the other its result from both. */
function twoKernels(
  make: (h: Expr) => Expr,
  use: (made: Expr, h: Expr) => Expr,
  further: 'copied' | undefined = undefined,
) {
  const [given, between, result] = [
    new Slot('float16', length),
    new Slot('float32', length),
    new Slot('float32', length),
  ]
  const buffers = new Map<Buffer, Slot>()
  const buffer = (slot: Slot): Buffer => {
    const made = new Buffer('x', slot.dtype, length, slot === between ? 'float16' : slot.dtype)
    buffers.set(made, slot)
    return made
  }
  const launch = (to: Slot, value: Expr): Step => {
    const kernel = { kind: 'nest', name: 'kernel', grid: [], body: [store(buffer(to), i, value)] } as const
    const nest: Nest = { ...kernel, params: buffersOf(kernel) }
    return { op: 'launch', kernel: nest, args: nest.params.map((each) => placeOf(buffers.get(each)!)) }
  }
  const made = make(load(buffer(given), i))
  const read = load(buffer(between), i)
  const used = use(read, load(buffer(given), i))
  const copy: Step = { op: 'copy', from: placeOf(between), to: placeOf(result), length }
  const steps = [launch(between, made), ...(further === 'copied' ? [copy] : []), launch(result, used)]
  const program: Program = { name: 'program', inputs: [given], captured: [], outputs: [result], steps }
  noteTemporaries(program)
  return { made, read, used }
}

test('bounds go from the kernel that writes to those that read', () => {
  const bounded = (h: Expr): Expr => half(div(min(max(h, f32(0)), f32(6)), f32(6)))
  const { read, used } = twoKernels(bounded, (made, h) => half(mul(made, h)))
  expect(rangeOf(read)).toEqual([0, 1])
  expect(sourceOf(used as Narrow)!.overflows).toBe(false)
  expect(rangeOf(twoKernels(bounded, (made) => made, 'copied').read)).toEqual([-Infinity, Infinity])
})
test('whether there are negative zeros, too', () => {
  expect(
    mayBeNegativeZero(
      twoKernels(
        (h) => half(mul(h, h)),
        (made) => made,
      ).read,
    ),
  ).toBe(false)
  expect(
    mayBeNegativeZero(
      twoKernels(
        (h) => half(mul(h, f32(2))),
        (made) => made,
      ).read,
    ),
  ).toBe(true)
})
test('signs of zeros are kept only where someone sees them', () => {
  const keeps = (use: (made: Expr, h: Expr) => Expr, further?: 'copied'): boolean =>
    sourceOf(twoKernels((h) => half(mul(h, f32(0.5))), use, further).made as Narrow)!.negativeZero
  expect(keeps((made) => convert('f32', gt(made, f32(1))))).toBe(false)
  expect(keeps((made) => convert('f32', gt(made, f32(1))), 'copied')).toBe(true)
  expect(keeps((made) => add(f32(0), mul(made, f32(3))))).toBe(false)
  expect(keeps((made) => add(f32(-0), mul(made, f32(3))))).toBe(true)
  expect(keeps((made, h) => add(h, made))).toBe(true)
  expect(keeps((made, h) => add(half(mul(h, h)), made))).toBe(false)
  expect(keeps((made) => mul(made, f32(3)))).toBe(true)
  expect(keeps((made) => add(f32(0), div(f32(1), made)))).toBe(true)
  expect(keeps((made) => add(f32(0), div(made, f32(3))))).toBe(false)
})
