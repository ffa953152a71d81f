// Half floats in loops on a CPU: small arrays of them are kept as f32, weights lie as products read them, spikes need no rounding; numbers are the same.
import { type NDArray, debug, grad, jit, lax, np, pureCallback, random } from 'fluxion'
import { expect, test } from 'vitest'
import { deviceOf, on } from './devices.ts'

const [wasm, reference] = [await deviceOf('wasm'), await deviceOf('reference')]
/** Sixteenths: sums and products of a few are exact in float16. */
const sixteenths = (seed: number, ...shape: number[]): NDArray =>
  random.randint(random.key(seed), shape, -16, 17).astype('float32').div(16).astype('float16')

const threshold = (v: NDArray): NDArray => np.greater(v, 0.25).astype('float16')
const spiking = (w: NDArray, beta: NDArray, xs: NDArray): [NDArray, NDArray] =>
  lax.scan(
    (v: NDArray, x: NDArray): [NDArray, NDArray] => {
      const spikes = threshold(v)
      return [v.mul(0.5).add(x).add(np.matmul(spikes, w)).sub(beta.mul(spikes)), spikes]
    },
    np.zeros([6, 8], { dtype: 'float16' }),
    xs,
  )

test('a loop over half floats gives the same bits as the reference back end', () => {
  const args = (): [NDArray, NDArray, NDArray] => [sixteenths(0, 8, 8), sixteenths(1, 8), sixteenths(2, 5, 6, 8)]
  const run = (): number[][] => jit(spiking)(...args()).map((x) => [...x.ravel().dataSync()])
  expect(on(wasm, run)).toEqual(on(reference, run))
})

test('gradients of half floats through a loop are the same, to the rounding of sums in another order', () => {
  const loss = (w: NDArray, xs: NDArray): NDArray =>
    lax
      .scan(
        (h: NDArray, x: NDArray): [NDArray, null] => [np.matmul(h.mul(x), w), null],
        np.ones([6, 8], { dtype: 'float16' }),
        xs,
      )[0]
      .astype('float32')
      .sum()
  const run = (): number[] => [
    ...jit(grad(loss))(sixteenths(3, 8, 8).mul(0.5), sixteenths(4, 3, 6, 8))
      .ravel()
      .dataSync(),
  ]
  const [got, expected] = [on(wasm, run), on(reference, run)]
  got.forEach((value, i) =>
    expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(0.002 * Math.max(1, Math.abs(expected[i]!))),
  )
})

test('weights are turned once before the loop, and products with spikes are not rounded', () => {
  const f = (w: NDArray, xs: NDArray): NDArray => spiking(w.T, sixteenths(1, 8), xs)[0]
  const turned = (w: NDArray, xs: NDArray): NDArray =>
    lax.scan(
      (h: NDArray, x: NDArray): [NDArray, null] => [
        lax
          .dotGeneral(threshold(h), w, [
            [[1], [1]],
            [[], []],
          ])
          .add(x),
        null,
      ],
      np.zeros([6, 8], { dtype: 'float16' }),
      xs,
    )[0]
  const text = (g: (w: NDArray, xs: NDArray) => NDArray): string =>
    on(wasm, () =>
      jit(g)
        .lower(sixteenths(0, 8, 8), sixteenths(2, 5, 6, 8))
        .asText('loops'),
    )
  const loops = text(turned)
  expect(loops.indexOf('launch arrange')).toBeGreaterThan(0)
  expect(loops.indexOf('launch arrange')).toBeLessThan(loops.indexOf('loop n'))
  // beta · spikes: the product itself is an operand of the subtraction
  expect(text(f)).toMatch(/\+ narrow\.f16\(sum\)\) - \w+\[\w+\] \* /)
})

test('what leaves the program, or is handed to the host, has its own dtype', () => {
  const seen: number[][] = []
  const f = (x: NDArray): NDArray[] => {
    const y = x.mul(2)
    const z = pureCallback((v: NDArray) => v.add(1), { shape: [4], dtype: 'float16' }, y)
    debug.callback((v: NDArray) => void seen.push([...v.dataSync()]), z)
    return [y, z.mul(y), lax.sort(z.mul(3)), lax.bitcastConvertType(y, 'uint16')]
  }
  const run = (): unknown[] => jit(f)(sixteenths(5, 4)).map((x) => [x.dtype, ...x.dataSync()])
  const [got, expected] = [on(wasm, run), on(reference, run)]
  expect(got).toEqual(expected)
  expect(seen).toHaveLength(2)
  expect(seen[0]).toEqual(seen[1])
})

test('branches, whiles and updated carries of half floats keep their values', () => {
  const f = (x: NDArray): NDArray[] => {
    const chosen = lax.cond(
      np.greater(x.sum(), 0),
      (v: NDArray) => v.mul(3),
      (v: NDArray) => v.sub(1),
      x,
    )
    const doubled = lax.whileLoop(
      (v: NDArray) => np.less(np.max(np.abs(v)), 8),
      (v: NDArray) => v.add(v).add(0.0625),
      x,
    )
    const filled = lax.foriLoop(0, 4, (i: NDArray, v: NDArray) => v.at(i).add(chosen.get(i)), x)
    const sums = lax.scan(
      (c: NDArray, v: NDArray): [NDArray, NDArray] => [c.add(v), np.cumsum(np.stack([c, v]))],
      np.zeros([], { dtype: 'float16' }),
      filled,
    )
    return [chosen, doubled, filled, ...sums]
  }
  const run = (): number[][] => jit(f)(sixteenths(6, 4)).map((x) => [...x.ravel().dataSync()])
  expect(on(wasm, run)).toEqual(on(reference, run))
})
