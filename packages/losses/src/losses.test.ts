/** Readout losses and regularisers: their laws, and their errors. */
import { DtypeError, type NDArray, OptionError, ShapeError, grad, jit, np, random, vmap } from '@fluxion/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { integralAccuracy, integralCrossentropy, mseSpikerate, silenceReg, sparsityReg } from './index.ts'

const labels = (values: number[]): NDArray => np.array(values, { dtype: 'int32' })
const traces = random.normal(random.key(1), [4, 6, 3])
const targets = labels([2, 0, 1, 1])

describe.each([
  ['integralCrossentropy', integralCrossentropy],
  ['mseSpikerate', mseSpikerate],
  ['the accuracy of integralAccuracy', (...args: Parameters<typeof integralAccuracy>) => integralAccuracy(...args)[0]],
] as const)('%s', (_, loss) => {
  test('is a scalar, the same with time first, jitted, and for labels of other integers', () => {
    const expected = loss(traces, targets).item()
    expect(loss(traces, targets).shape).toEqual([])
    expect(loss(np.swapaxes(traces, 0, 1), targets, { timeAxis: 0 }).item()).toBeCloseTo(expected, 6)
    expect(jit((x: NDArray, t: NDArray) => loss(x, t))(traces, targets).item()).toBeCloseTo(expected, 6)
    expect(loss(traces, targets.astype('uint8')).item()).toBe(expected)
  })
  test('leaves out the samples that `where` masks', () => {
    const where = np.array([true, false, true, true])
    const kept = np.array([0, 2, 3], { dtype: 'int32' })
    const expected = loss(np.take(traces, kept, { axis: 0 }), np.take(targets, kept)).item()
    expect(loss(traces, targets, { where }).item()).toBeCloseTo(expected, 5)
  })
  test('is the mean over the batch', () => {
    const each = vmap((x: NDArray, t: NDArray) => loss(x.get(null), t.get(null)))(traces, targets)
    expect(loss(traces, targets).item()).toBeCloseTo(each.mean().item(), 5)
  })
  test('says what is wrong with shapes, dtypes and options', () => {
    expect(() => loss(traces.get(0), targets)).toThrow('expected traces f[batch, time, classes], got f32[6,3]')
    expect(() => loss(traces, labels([1, 2]))).toThrow(
      'expected targets of shape [4], one class for each sample, got i32[2]',
    )
    expect(() => loss(traces, targets, { timeAxis: 0 })).toThrow(ShapeError)
    expect(() => loss(traces, targets, { timeAxis: -1 })).toThrow('expected a time axis before the last axis')
    expect(() => loss(traces, targets.astype('float32'))).toThrow(DtypeError)
    expect(() => loss(traces, targets, { where: np.ones([4]) })).toThrow('expected where bool[4], got f32[4]')
    expect(() => loss(traces, targets, { axis: 1 } as never)).toThrow(OptionError)
  })
})

test('accuracy counts the predictions that are right; the first of equals wins', () => {
  const [accuracy, predictions] = integralAccuracy(np.array([[[1, 1]], [[0, 2]]]), labels([0, 0]))
  expect([accuracy.item(), predictions.toArray(), predictions.dtype]).toEqual([0.5, [0, 1], 'int32'])
})
test('cross-entropy depends on the sum over time only, and its gradient is the same at each step', () => {
  const swapped = np.flip(traces, { axis: 1 })
  expect(integralCrossentropy(swapped, targets).item()).toBeCloseTo(integralCrossentropy(traces, targets).item(), 6)
  const gradient = grad((x: NDArray) => integralCrossentropy(x, targets))(traces)
  expect(np.allclose(gradient, gradient.get(':', ':1')).item()).toBe(1)
})
test('cross-entropy is never below the entropy of its smoothed labels', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 3, maxLength: 3 }),
      fc.float({ min: 0, max: 1, noNaN: true }),
      (row, smoothing) => {
        const p = [0, 1, 2].map((c) => (c === 1 ? 1 - smoothing : 0) + smoothing / 3)
        const entropy = -p.reduce((sum, x) => sum + (x > 0 ? x * Math.log(x) : 0), 0)
        expect(integralCrossentropy(np.array([[row]]), labels([1]), { smoothing }).item()).toBeGreaterThan(
          entropy - 1e-4,
        )
      },
    ),
  )
})
test('the spike rate is compared with a count, as in Spyx', () => {
  const right = np.broadcastTo(np.array([0, 4]), [1, 4, 2])
  expect(mseSpikerate(right, labels([1]), { sparsity: 1 }).item()).toBe(0)
  expect(mseSpikerate(right, labels([0]), { sparsity: 1 }).item()).toBe(16)
})

const counts = (...rows: number[][]): NDArray => np.array(rows)
test('silence is penalised by neuron, from the mean over the batch', () => {
  expect(silenceReg(1)(counts([0, 1], [0, 1], [0, 1], [0, 1])).item()).toBe(1)
  expect(silenceReg(0)(counts([0, 1])).item()).toBe(0)
  // one sample's spikes are enough for the neuron
  expect(silenceReg(1)(counts([0, 2], [2, 0])).item()).toBe(0)
})
test('activity is penalised by sample, from the mean over neurons', () => {
  expect(sparsityReg(1)(counts([1, 1], [0, 2])).item()).toBe(0)
  expect(sparsityReg(1)(counts([2, 2], [1, 5])).item()).toBe(0.5 + 1.5)
  expect(sparsityReg(1, { norm: np.square })(counts([2, 2], [1, 5])).item()).toBe(1 + 4)
  expect(() => sparsityReg(1, { loss: np.square } as never)).toThrow(OptionError)
})
test.each([
  ['silenceReg', silenceReg(3)],
  ['sparsityReg', sparsityReg(0.5)],
])('%s is a sum over the leaves of a tree, of which each may have any number of axes', (_, penalty) => {
  const [a, b] = [random.uniform(random.key(0), [3, 4]), random.uniform(random.key(1), [3, 2, 2])]
  const tree = { ActReg: { spike_count: a }, ActReg_1: { spike_count: b } }
  expect(penalty(tree).item()).toBeCloseTo(penalty(a).item() + penalty(b.reshape([3, 4])).item(), 5)
  expect(jit((t: typeof tree) => penalty(t))(tree).item()).toBeCloseTo(penalty(tree).item(), 5)
  expect(penalty({}).item()).toBe(0)
  expect(() => penalty(np.array(1))).toThrow(ShapeError)
})
test('bounds are numbers', () => {
  expect(() => silenceReg(NaN)).toThrow('silenceReg: expected a finite number as minSpikes, got NaN')
  expect(() => sparsityReg('5' as never)).toThrow(OptionError)
})
