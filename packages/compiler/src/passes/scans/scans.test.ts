// What leaves loops, within the budget, and that loops mean what they meant.
import {
  type Equation,
  type ClosedJaxpr,
  type NDArray,
  type ScanParams,
  checkJaxpr,
  debug,
  evalJaxpr,
  grad,
  lax,
  np,
  pureCallback,
} from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { after, expectSame, filled, namesOf, trace } from '../passes.testing.ts'
import { optimise } from '../pipeline.ts'
import { moveAccumulations } from './accumulate.ts'
import { hoistInvariants } from './hoist.ts'
import { hoistProducts } from './products.ts'

const scansOf = ({ jaxpr }: ClosedJaxpr): Equation[] =>
  jaxpr.equations.filter(({ primitive }) => primitive.name === 'scan')
const paramsOf = (program: ClosedJaxpr): ScanParams => scansOf(program)[0]!.params as ScanParams
const bodyOf = (program: ClosedJaxpr): string[] => namesOf(paramsOf(program).jaxpr)

test('what every step computes alike is computed before the loop; what is only spread stays in it', () => {
  const f = (w: NDArray, xs: NDArray): NDArray =>
    lax.scan(
      (c: NDArray, x: NDArray) => {
        const decay = np.exp(w.neg())
        return [c.mul(np.broadcastTo(decay, c.shape)).add(x), null] as [NDArray, null]
      },
      np.zeros([2, 3], { dtype: 'float64' }),
      xs,
    )[0]
  const args = [filled(3), filled(4, 2, 3)]
  const program = trace(f, args)
  const hoisted = after(program, hoistInvariants)
  expect(bodyOf(hoisted)).toEqual(['broadcast_in_dim', 'mul', 'add'])
  expect(namesOf(hoisted)).toContain('exp')
  expectSame(program, hoisted, args)
})

test('a value that is larger than its operands by more than the budget is not hoisted', () => {
  const f = (w: NDArray, xs: NDArray): NDArray =>
    lax.scan(
      (c: NDArray, x: NDArray) => [c.add(np.outer(w, w).sum().mul(x)), null] as [NDArray, null],
      np.array(0, { dtype: 'float64' }),
      xs,
    )[0]
  const [small, large] = [8, 1500].map((size) =>
    after(trace(f, [np.zeros([size], { dtype: 'float64' }), filled(3)]), hoistInvariants),
  )
  expect(bodyOf(small!)).not.toContain('reduce_sum')
  expect(bodyOf(large!)).toContain('reduce_sum')
})

test('products of scanned arrays with constants become one product over all steps, chains before them included', () => {
  const f = (w: NDArray, packed: NDArray): NDArray =>
    lax.scan(
      (c: NDArray, bytes: NDArray) => {
        const events = np.unpackbits(bytes, { axis: 0 }).astype('float64')
        return [np.tanh(c.mul(0.5).add(events.matmul(w))), null] as [NDArray, null]
      },
      np.zeros([3], { dtype: 'float64' }),
      packed,
      { reverse: true },
    )[0]
  const args = [
    filled(16, 3),
    np.array(
      [
        [3, 200],
        [17, 9],
        [255, 0],
        [1, 2],
      ],
      { dtype: 'uint8' },
    ),
  ]
  const program = trace(f, args)
  const hoisted = after(program, hoistProducts)
  expect(bodyOf(hoisted)).toEqual(['mul', 'add', 'tanh'])
  expect(namesOf(hoisted)).toContain('unpackbits')
  expectSame(program, hoisted, args)
})

test('a product whose results for all steps exceed the budget stays in the loop', () => {
  const f = (w: NDArray, xs: NDArray): NDArray =>
    lax.scan((c: NDArray, x: NDArray) => [c.add(x.matmul(w)), null] as [NDArray, null], np.zeros([4096]), xs)[0]
  const shapes = (steps: number): NDArray[] => [np.zeros([2, 4096]), np.zeros([steps, 2])]
  expect(bodyOf(after(trace(f, shapes(100)), hoistProducts))).not.toContain('dot_general')
  expect(bodyOf(after(trace(f, shapes(600)), hoistProducts))).toContain('dot_general')
})

test('gradients of weights leave the transposed loop as contractions over its steps', () => {
  const loss = (w: NDArray, u: NDArray, b: NDArray, xs: NDArray): NDArray => {
    const step = (h: NDArray, x: NDArray): [NDArray, NDArray] => {
      const next = np.tanh(x.matmul(w).add(h.matmul(u)).add(b))
      return [next, next]
    }
    return lax.scan(step, np.zeros([2, 3], { dtype: 'float64' }), xs)[1].sum()
  }
  const shape = fc.integer({ min: 2, max: 6 })
  fc.assert(
    fc.property(shape, (steps) => {
      const args = [filled(4, 3), filled(3, 3), filled(3), filled(steps, 2, 4)]
      const program = trace(grad(loss, { argnums: [0, 1, 2] }), args)
      const moved = after(program, hoistInvariants, hoistProducts, moveAccumulations)
      const backwards = scansOf(moved).find(({ params }) => (params as ScanParams).reverse)!.params as ScanParams
      expect(backwards.numCarry).toBe(1)
      expect(namesOf(backwards.jaxpr).filter((name) => name === 'dot_general' || name === 'reduce_sum')).toEqual([
        'dot_general',
      ])
      expectSame(program, moved, args)
    }),
    { numRuns: 5 },
  )
})

test('what is linear in several sums and products leaves the loop as they do', () => {
  const args = [filled(3), np.array([true, false, true]), filled(4, 2, 3)]
  const f = (w: NDArray, mask: NDArray, xs: NDArray): NDArray =>
    lax.scan(
      (c: NDArray, x: NDArray) => {
        const sums = x
          .sum({ axis: 0 })
          .neg()
          .add(np.square(x).sum({ axis: 0 }).mul(w))
        const product = x.T.matmul(np.cos(x).sum({ axis: 1 }))
        return [c.add(np.where(mask, sums.sub(product.mul(2)).div(3), 0)), x] as [NDArray, NDArray]
      },
      filled(3),
      xs,
    )[0]
  const program = trace(f, args)
  expect(paramsOf(after(program, hoistInvariants, moveAccumulations)).numCarry).toBe(0)
  expectSame(program, after(program, hoistInvariants, moveAccumulations), args)
})

test('sums of what no one stacks are carries of their terms in pointwise loops, in those that multiply what they carry if a carry has their shape, and stay in others', () => {
  type Step = (v: NDArray, x: NDArray, u: NDArray) => { current: NDArray; terms: NDArray }
  const terms = (v: NDArray, x: NDArray): NDArray => np.sin(v).mul(x)
  const kinds: [name: string, stays: boolean, step: Step][] = [
    ['pointwise', false, (v, x) => ({ current: x, terms: terms(v, x) })],
    ['a product', false, (v, x, u) => ({ current: v.matmul(u), terms: terms(v, x) })],
    ['another shape', true, (v, x, u) => ({ current: v.matmul(u), terms: np.concatenate([terms(v, x), v]) })],
    ['a sum', true, (v, x) => ({ current: v.sum({ axis: 0 }), terms: terms(v, x) })],
  ]
  const args = [filled(3), filled(3, 3), filled(4, 2, 3)]
  for (const [name, stays, step] of kinds) {
    const f = (decay: NDArray, u: NDArray, xs: NDArray): NDArray[] =>
      lax.scan(
        ([v, total]: NDArray[], x: NDArray): [NDArray[], null] => {
          const { current, terms } = step(v!, x, u)
          return [[v!.mul(decay).add(current), total!.add(terms.sum({ axis: 0 }).neg())], null]
        },
        [filled(2, 3), filled(3)],
        xs,
      )[0]
    const program = trace(f, args)
    const moved = after(program, hoistInvariants, moveAccumulations)
    const sums = bodyOf(moved).filter((operation) => operation === 'reduce_sum').length
    expect(sums, name).toBe(stays ? (name === 'a sum' ? 2 : 1) : 0)
    expectSame(program, moved, args)
  }
})

test('a sum that is read in the loop, or starts from something else, keeps its meaning', () => {
  const read = (xs: NDArray): NDArray =>
    lax.scan(
      (c: NDArray, x: NDArray) => [c.add(np.outer(x, x).sum({ axis: 0 })), c] as [NDArray, NDArray],
      filled(3),
      xs,
    )[1]
  const started = (start: NDArray, xs: NDArray): NDArray =>
    lax.scan((c: NDArray, x: NDArray) => [c.add(x.matmul(x.T)), null] as [NDArray, null], start, xs)[0]
  const reading = trace(read, [filled(4, 3)])
  expect(paramsOf(after(reading, moveAccumulations)).numCarry).toBe(1)
  expectSame(reading, after(reading, moveAccumulations), [filled(4, 3)])
  const args = [filled(2, 2), filled(5, 2, 3)]
  const starting = trace(started, args)
  expect(scansOf(after(starting, moveAccumulations))).toEqual([])
  expectSame(starting, after(starting, moveAccumulations), args)
})

test('effects stay in the loop, in order, and calls of the host are not moved', () => {
  const seen: number[] = []
  const host = (x: NDArray): NDArray => x.mul(2)
  const f = (w: NDArray, xs: NDArray): NDArray =>
    lax.scan(
      (c: NDArray, x: NDArray) => {
        debug.callback((v: NDArray) => seen.push(v.item()), x)
        const twice = pureCallback(host, { shape: [], dtype: 'float64' }, w)
        return [c.add(twice), null] as [NDArray, null]
      },
      np.array(0, { dtype: 'float64' }),
      xs,
    )[0]
  const args = [np.array(1.5, { dtype: 'float64' }), np.array([1, 2, 3], { dtype: 'float64' })]
  const { program, captured } = optimise(trace(f, args))
  expect(bodyOf(program)).toEqual(['debug_callback', 'pure_callback', 'add'])
  expect(evalJaxpr(program, [...captured, ...args])[0]!.item()).toBe(9)
  expect(seen).toEqual([1, 2, 3])
})

test('loops of one step and of none are dissolved, and carries that no step changes leave the loop', () => {
  const f =
    (steps: number) =>
    (c: NDArray, d: NDArray, xs: NDArray): NDArray[] => {
      const [[last, fixed], ys] = lax.scan(
        ([a, b]: [NDArray, NDArray], x: NDArray) =>
          [
            [a.mul(b).add(x), b],
            [x, a, b, a.add(0)],
          ] as [[NDArray, NDArray], NDArray[]],
        [c, d] as [NDArray, NDArray],
        xs,
        { length: steps },
      )
      return [last, fixed, ...ys]
    }
  for (const steps of [0, 1, 3]) {
    const args = [filled(2), filled(2).add(1), filled(steps, 2)]
    const program = trace(f(steps), args)
    const { program: changed } = optimise(program)
    checkJaxpr(changed)
    expect(scansOf(changed).length).toBe(steps === 3 ? 1 : 0)
    if (steps === 3) expect(paramsOf(changed)).toMatchObject({ numConsts: 1, numCarry: 1 })
    expectSame(program, changed, args)
  }
})

test('numbers, spread values and operands given twice are made in the body', () => {
  const f = (v: NDArray, xs: NDArray): NDArray => {
    const ones = np.ones([2, 3], { dtype: 'float64' })
    const rows = np.broadcastTo(v, [4, 2, 3])
    return lax.scan(
      (c: NDArray, [x, y, row]: [NDArray, NDArray, NDArray]) =>
        [c.mul(ones.mul(0.5)).add(x).add(y.mul(row)), null] as [NDArray, null],
      ones,
      [xs, xs, rows] as [NDArray, NDArray, NDArray],
    )[0]
  }
  const args = [filled(3), filled(4, 2, 3)]
  const program = trace(f, args)
  const changed = after(program)
  expect(paramsOf(changed)).toMatchObject({ numConsts: 1, numCarry: 1 })
  expect(scansOf(changed)[0]!.inputs.length).toBe(3)
  expectSame(program, changed, args)
})

test('carries that start and go on alike are one; those that only go on alike are two', () => {
  type Carry = [NDArray, NDArray]
  const f =
    (same: boolean) =>
    (c: NDArray, d: NDArray, xs: NDArray): NDArray[] => {
      const step = ([a, b]: Carry, x: NDArray): [Carry, NDArray] => [[a.mul(x), a.mul(x)], a.add(b)]
      const [[a, b], ys] = lax.scan(step, [c, same ? c : d] as Carry, xs)
      return [a, b, ys]
    }
  const args = [filled(2), filled(2).add(1), filled(3, 2)]
  for (const same of [true, false]) {
    const program = trace(f(same), args)
    expect(paramsOf(after(program)).numCarry).toBe(same ? 1 : 2)
    expectSame(program, after(program), args)
  }
})

test('truth values are stacked and scanned as such, and converted where they are read', () => {
  const f = (xs: NDArray): NDArray[] => {
    const [last, ys] = lax.scan(
      (c: NDArray, x: NDArray): [NDArray, NDArray] => [c.mul(0.5).add(x), c.gt(0.3).astype('float64')],
      np.zeros([3], { dtype: 'float64' }),
      xs,
    )
    return [last, ys, lax.scan((c: NDArray, y: NDArray) => [c.sub(y), null] as [NDArray, null], last, ys)[0]]
  }
  const args = [filled(5, 3)]
  const program = trace(f, args)
  const changed = after(program)
  const types = scansOf(changed).map(({ inputs, outputs }) => [inputs.at(-1)!.aval.dtype, outputs.at(-1)!.aval.dtype])
  expect(types).toEqual([
    ['float64', 'bool'],
    ['bool', 'float64'],
  ])
  expectSame(program, changed, args)
})

test('a scan with effects and of one step keeps them', () => {
  const seen: number[] = []
  const f = (xs: NDArray): NDArray =>
    lax.scan(
      (c: NDArray, x: NDArray) => {
        debug.callback((v: NDArray) => seen.push(v.item()), x)
        return [c, null] as [NDArray, null]
      },
      np.array(0),
      xs,
    )[0]
  const { program } = optimise(trace(f, [np.array([7])]))
  expect(namesOf(program)).toEqual(['reshape', 'debug_callback'])
  evalJaxpr(program, [np.array([7])])
  expect(seen).toEqual([7])
})
