/** Elementwise rules by themselves: broadcasting of rank 0, batching, transposes, wrapping integers, far tails, messages. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import { DtypeError, MissingRuleError, ShapeError } from '../../errors.ts'
import { type Shape, sizeOf } from '../../shape.ts'
import { fromHost, scalar } from '../../trace.ts'
import { type BatchDim, Linear, type Primitive, Zero, primitives, runnable } from '../define.ts'
import {
  add,
  addAny,
  and,
  bitcast,
  clamp,
  convert,
  copy,
  div,
  erfInv,
  erfc,
  integerPow,
  lgamma,
  max,
  mul,
  neg,
  nextafter,
  polygamma,
  pow,
  selectN,
  sin,
  sub,
  zeta,
} from '../elementwise.ts'
import { array, dot, f32, hostOf, i32, useHostBackend } from '../hostBackend.testing.ts'
import { moveAxis } from '../movement.ts'
import { instantiate } from '../zeros.ts'

useHostBackend()

const list = (x: NDArray): number[] => [...hostOf(x).data]
const f64 = (value: number): NDArray => array({ shape: [], dtype: 'float64', data: Float64Array.of(value) })
const row = (name: string): Primitive => runnable(primitives.get(name)!)
const numbers = (shape: Shape, seed: number): NDArray =>
  f32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed * 5) % 16) / 4 + 0.25),
  )

const shapes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 })

test('operands of rank 0 broadcast on either side', () => {
  const x = f32([3], [1, 2, 3])
  expect(list(sub(x, scalar(1, 'float32')))).toEqual([0, 1, 2])
  expect(list(sub(scalar(1, 'float32'), x))).toEqual([0, -1, -2])
  expect(list(selectN(scalar(1, 'bool'), x, scalar(9, 'float32')))).toEqual([9, 9, 9])
  expect(list(clamp(scalar(2, 'float32'), x, scalar(2.5, 'float32')))).toEqual([2, 2, 2.5])
})

test('a batch of any operands, at any axes, is the loop over it', () => {
  const operations: readonly [string, number][] = [
    ['add', 2],
    ['div', 2],
    ['select_n', 3],
    ['clamp', 3],
    ['sin', 1],
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...operations),
      shapes,
      fc.array(fc.record({ full: fc.boolean(), at: fc.option(fc.nat(3)) }), { minLength: 3, maxLength: 3 }),
      ([name, arity], inner, choices) => {
        const size = 2
        const operands = choices.slice(0, arity).map(({ full, at }, i) => {
          const shape = full ? inner : []
          const dim: BatchDim = at === null ? null : at % (shape.length + 1)
          const whole = numbers(dim === null ? shape : [size, ...shape], i)
          const typed = name === 'select_n' && i === 0 ? convert(sub(whole, scalar(0.25, 'float32')), 'bool') : whole
          return { x: dim === null ? typed : moveAxis(typed, 0, dim), dim, typed, shape }
        })
        if (operands.every(({ dim }) => dim === null)) return
        const call = (args: readonly NDArray[]): NDArray => {
          const [out] = row(name).type(
            args.map((arg) => arg.aval),
            {},
          )
          return array(row(name).reference(args.map(hostOf), {}, [out!], () => [])[0]!)
        }
        const [[got], [dim]] = row(name).batch!(
          operands.map(({ x }) => x),
          operands.map((operand) => operand.dim),
          {},
          { size, name: undefined },
        )
        const want = [0, 1].flatMap((n) =>
          list(
            call(
              operands.map(({ typed, dim: axis, shape }) => {
                if (axis === null) return typed
                const length = sizeOf(shape)
                const { data, dtype } = hostOf(typed)
                return array({ shape, dtype, data: data.slice(n * length, (n + 1) * length) })
              }),
            ),
          ),
        )
        expect(list(moveAxis(got!, dim!, 0))).toEqual(want)
      },
    ),
  )
})

test('the transpose of a linear operation is its adjoint, summed where an operand was broadcast', () => {
  const one = scalar(1.5, 'float32')
  const cases: readonly [name: string, f: (x: NDArray, y: NDArray) => NDArray, known: boolean][] = [
    ['mul', mul, true],
    ['div', div, true],
    ['add', add, false],
    ['sub', sub, false],
    ['add_any', addAny, false],
  ]
  for (const [name, f, known] of cases) {
    for (const [x, y] of [
      [numbers([2, 3], 1), one],
      [one, numbers([2, 3], 2)],
      [numbers([3], 3), numbers([3], 4)],
    ] as const) {
      const out = known ? f(x, y) : f(x, mul(y, scalar(0, 'float32')))
      const ct = numbers(out.shape, 5)
      const [pulled, other] = row(name).transpose!([ct], [new Linear(x.aval), known ? y : new Linear(y.aval)], {})
      expect(dot(instantiate(pulled!), x)).toBeCloseTo(dot(ct, out), 3)
      if (known) expect(other).toBe(null)
      else expect(dot(instantiate(other!), y)).toBeCloseTo(dot(ct, f(mul(x, scalar(0, 'float32')), y)), 3)
    }
  }
})

test('each case of a choice gets the cotangent where it was chosen', () => {
  const which = i32([4], [0, 2, 1, 2])
  const linear = new Linear(f32([4], [0, 0, 0, 0]).aval)
  const [none, ...cts] = row('select_n').transpose!([f32([4], [1, 2, 3, 4])], [which, linear, linear, linear], {})
  expect(none).toBe(null)
  expect(cts.map((ct) => list(instantiate(ct!)))).toEqual([
    [1, 0, 0, 0],
    [0, 0, 3, 0],
    [0, 2, 0, 4],
  ])
})

test('a product of two unknowns has no transpose', () => {
  const x = new Linear(f32([2], [0, 0]).aval)
  expect(() => row('mul').transpose!([f32([2], [1, 1])], [x, x], {})).toThrow(MissingRuleError)
})

test('tangents stay zero through steps, conversions to integers and operations on integers', () => {
  const x = f32([2], [1.5, 2.5])
  for (const name of ['floor', 'ceil', 'sign', 'is_finite']) {
    expect(row(name).jvp!([x], [x], {})[1][0]).toBeInstanceOf(Zero)
  }
  expect(row('convert_element_type').jvp!([x], [x], { newDtype: 'int32', weakType: false })[1][0]).toBeInstanceOf(Zero)
})

test('integers multiply modulo their width and raise to powers as repeated products', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.nat(40), (x, y, n) => {
      const wrapped = (value: bigint): number => Number(BigInt.asIntN(32, value))
      const [a, b] = [scalar(x, 'int32'), scalar(y, 'int32')]
      expect(mul(a, b).item()).toBe(wrapped(BigInt(x) * BigInt(y)))
      expect(pow(a, scalar(n, 'int32')).item()).toBe(wrapped(BigInt(x) ** BigInt(n)))
      expect(integerPow(a, n).item()).toBe(wrapped(BigInt(x) ** BigInt(n)))
    }),
  )
})

test('neighbours go there and back, and bits are kept by a cast there and back', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('float16', 'bfloat16', 'float32', 'float64'),
      fc.double({ noNaN: true, min: -6e4, max: 6e4 }),
      (dtype, value) => {
        const x = convert(f64(value), dtype)
        const up = nextafter(x, convert(f64(Infinity), dtype))
        expect(up.item()).toBeGreaterThan(x.item())
        // Adding zero makes -0 into 0: the number below the smallest positive one is 0.
        expect(nextafter(up, convert(f64(-Infinity), dtype)).item() + 0).toBe(x.item() + 0)
        const bytes = bitcast(x, 'uint8')
        expect(Object.is(bitcast(bytes, dtype).item(), x.item())).toBe(true)
      },
    ),
  )
})

test('special functions keep their digits in the tails', () => {
  expect(erfc(f64(10)).item() / 2.088487583762545e-45 - 1).toBeCloseTo(0, 13)
  expect(zeta(f64(2), f64(1)).item()).toBeCloseTo(Math.PI ** 2 / 6, 14)
  expect(zeta(f64(4), f64(0.5)).item()).toBeCloseTo((15 * Math.PI ** 4) / 90, 12)
  // ψ'(½) = π²/2, and the reflection ψ'(1−x) + ψ'(x) = π²/sin²πx.
  expect(polygamma(f64(1), f64(0.5)).item()).toBeCloseTo(Math.PI ** 2 / 2, 13)
  expect(polygamma(f64(1), f64(-89.5)).item() + polygamma(f64(1), f64(90.5)).item()).toBeCloseTo(Math.PI ** 2, 12)
  expect(lgamma(f64(1 + 1e-9)).item() / -5.772156641e-10 - 1).toBeCloseTo(0, 6)
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 9, noNaN: true }), (x) => {
      // erfc(erfInv(1 − c)) = c: the inverse is right wherever 1 − c can be written.
      const c = erfc(f64(x)).item()
      if (c < 1e-12) return
      const p = 1 - c
      expect(erfc(erfInv(f64(p))).item() / (1 - p) - 1).toBeCloseTo(0, 13)
    }),
  )
})

test('what does not fit is refused with the remedy', () => {
  const x = f32([2, 3], [1, 2, 3, 4, 5, 6])
  expect(() => add(x, f32([3], [1, 2, 3]))).toThrow(ShapeError)
  expect(() => add(x, f32([3], [1, 2, 3]))).toThrow(/add: expected equal shapes, got f32\[2,3\] and f32\[3\]/)
  expect(() => mul(x, scalar(2, 'int32'))).toThrow(/mul: expected equal dtypes, got f32\[2,3\] and i32\[\]/)
  expect(() => sin(i32([1], [1]))).toThrow(
    "sin: expected a floating dtype, got i32[1]\nhint: x.astype('float32') converts",
  )
  expect(() => neg(scalar(1, 'bool'))).toThrow(DtypeError)
  expect(() => and(x, x)).toThrow(/and: expected bool or an integer dtype/)
  expect(() => integerPow(i32([1], [2]), -1)).toThrow(/integerPow: expected an exponent of at least 0 for integers/)
  expect(() => selectN(scalar(1, 'bool'), x, x, x)).toThrow(/at most two cases for a bool/)
  expect(() => selectN(scalar(1, 'float32'), x, x)).toThrow(/a bool or an integer to choose by, got f32\[\]/)
  expect(() => bitcast(f32([2], [1, 2]), 'float64')).not.toThrow()
  expect(() => bitcast(f32([3], [1, 2, 3]), 'float64')).toThrow(/a last axis of 2 for float64, got f32\[3\]/)
  expect(() => row('nextafter').jvp!([x, x], [x, new Zero(x.aval)], {})).toThrow(MissingRuleError)
})

test('a result is weak exactly if all operands are', () => {
  const weak = scalar(2, 'float32', true)
  const strong = fromHost({ shape: [], dtype: 'float32', data: Float32Array.of(1) })
  expect([max(weak, weak), max(weak, strong), copy(weak)].map((x) => x.weakType)).toEqual([true, false, true])
  expect(convert(weak, 'float32', true)).toBe(weak)
  expect(convert(weak, 'float32').weakType).toBe(false)
})
