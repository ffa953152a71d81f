// Codes by rate, angle and shift, in numbers.
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { OptionError, jit, np, random } from '@fluxion/core'
import { shiftAugment } from './augment.ts'
import { angleCode, latencyCode, rateCode, shuffler } from './encoders.ts'

const unit = fc.double({ min: 0, max: 1, noNaN: true })

test('a shift rolls the whole batch by one draw from −maxShift to maxShift − 1', () => {
  const data = np.arange(2 * 7).reshape([2, 7])
  const augment = shiftAugment({ maxShift: 3 })
  const seen = new Set<number>()
  for (let seed = 0; seed < 60; seed += 1) {
    const [first, second] = augment(data, random.key(seed)).toArray() as [number[], number[]]
    const shift = first.indexOf(0)
    expect(second.indexOf(7)).toBe(shift)
    expect(np.roll(data, shift, { axis: -1 }).toArray()).toEqual([first, second])
    seen.add(shift > 3 ? shift - 7 : shift)
  }
  expect([...seen].toSorted((a, b) => a - b)).toEqual([-3, -2, -1, 0, 1, 2])
})

test('each axis is shifted by its own draw', () => {
  const data = np.arange(49).reshape([7, 7])
  const key = random.key(4)
  const [down, right] = random.randint(key, [2], -3, 3).toArray() as [number, number]
  const ours = shiftAugment({ maxShift: 3, axes: [0, 1] })(data, key)
  expect(ours.toArray()).toEqual(np.roll(data, [down, right], { axis: [0, 1] }).toArray())
})

test('rate codes repeat along axis 1 and spike at the wanted rate', () => {
  const encode = rateCode(2000, { maxR: 0.5 })
  const spikes = encode(
    np
      .array([
        [[0], [1]],
        [[0.5], [0.25]],
      ])
      .reshape([2, 1, 2]),
    random.key(1),
  )
  expect([spikes.shape, spikes.dtype]).toEqual([[2, 2000, 2], 'uint8'])
  const rates = np.mean(spikes.astype('float32'), { axis: 1 }).toArray() as number[][]
  // Five standard deviations of a mean of 2,000 draws are at most 0.056.
  for (const [i, row] of [
    [0, 0.5],
    [0.25, 0.125],
  ].entries()) {
    row.forEach((rate, j) => expect(Math.abs(rates[i]![j]! - rate)).toBeLessThan(0.056))
  }
  expect(rates[0]![0]).toBe(0)
  expect(rateCode(3)(np.ones([2, 4]), random.key(0)).shape).toEqual([2, 12])
})

test('angle codes choose the range that a value lies in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 6 }),
      (values, n) => {
        const codes = angleCode(n, -1, 1)(np.array(values)).toArray() as number[][]
        const edges = np.linspace(-1, 1, n).toArray() as number[]
        values.forEach((value, i) => {
          const below = edges.filter((edge) => edge <= Math.fround(value)).length
          const expected = Math.min(Math.max(below - 1, 0), n - 1)
          expect(codes[i]).toEqual(Array.from({ length: n }, (_, k) => Number(k === expected)))
        })
      },
    ),
    { numRuns: 40 },
  )
})

test('latency codes fire once, the brighter the earlier, and not at all at or below the threshold', () => {
  fc.assert(
    fc.property(fc.array(unit, { minLength: 2, maxLength: 8 }), fc.integer({ min: 2, max: 12 }), (values, steps) => {
      const spikes = latencyCode(steps, { threshold: 0.2 })(np.array(values))
      expect([spikes.shape, spikes.dtype]).toEqual([[steps, values.length], 'uint8'])
      const rows = spikes.toArray() as number[][]
      const first = values.map((_, i) => rows.findIndex((row) => row[i] === 1))
      const counts = values.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0))
      values.forEach((value, i) => {
        expect(counts[i]).toBe(Math.fround(value) > Math.fround(0.2) ? 1 : 0)
        values.forEach((other, j) => {
          if (value > other && counts[i] === 1 && counts[j] === 1) expect(first[i]).toBeLessThanOrEqual(first[j]!)
        })
      })
    }),
    { numRuns: 40 },
  )
  expect(latencyCode(5)(np.array([2, -1])).toArray()).toEqual([
    [1, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ])
})

test('a shuffler keeps samples with their labels and drops what fills no batch', () => {
  const x = np.arange(22).reshape([11, 2])
  const y = np.arange(11)
  const shuffle = shuffler([x, y], 4)
  const [a, b] = shuffle([x, y], random.key(3))
  expect([a.shape, b.shape]).toEqual([
    [2, 4, 2],
    [2, 4],
  ])
  const labels = b.ravel().toArray() as number[]
  expect(a.reshape([8, 2]).toArray()).toEqual(labels.map((i) => [2 * i, 2 * i + 1]))
  expect(new Set(labels).size).toBe(8)
  // The same as permuting each array with the key.
  expect(labels).toEqual((random.permutation(random.key(3), y).toArray() as number[]).slice(0, 8))
  expect(shuffler([x, y], 11)([x, y], random.key(0))[0].shape).toEqual([1, 11, 2])
})

test('encoders work inside of compiled functions', () => {
  const key = random.key(0)
  const x = np.array([[0.1, 0.9]])
  const all = jit((x, key) => [rateCode(4)(x, key), angleCode(3, 0, 1)(x), latencyCode(3)(x), shiftAugment()(x, key)])
  const alone = [rateCode(4)(x, key), angleCode(3, 0, 1)(x), latencyCode(3)(x), shiftAugment()(x, key)]
  expect(all(x, key).map((a) => a.toArray())).toEqual(alone.map((a) => a.toArray()))
})

test('sizes that cannot be are refused with what was expected', () => {
  expect(() => rateCode(0)).toThrow('rateCode: expected a whole number of steps, at least 1, got 0')
  expect(() => latencyCode(1.5)).toThrow(OptionError)
  expect(() => angleCode(3, 1, 1)).toThrow('angleCode: expected a min below max, got 1 and 1')
  expect(() => shiftAugment({ maxShift: 0 })).toThrow(OptionError)
  expect(() => shiftAugment({ shift: 1 } as object)).toThrow("expected known options, got 'shift'")
  expect(() => shuffler([np.zeros([3]), np.zeros([3])], 4)).toThrow(
    'shuffler: expected a batchSize that is a whole number from 1 to 3, got 4',
  )
})
