/** Random recurrent networks for tests of passes over scans: layers of neurons of several kinds, with products, shortcuts and losses between. */
import { type NDArray, customVjp, grad, lax, np } from '@fluxion/core'
import fc from 'fast-check'
import { filled } from '../passes.testing.ts'

const kinds = ['leaky', 'spiking', 'smooth', 'dense', 'normed', 'filter'] as const
export interface Layer {
  readonly kind: (typeof kinds)[number]
  readonly units: number
  /** Whether it reads the network's input too. */
  readonly shortcut: boolean
}
export interface Network {
  readonly layers: readonly Layer[]
  readonly steps: number
  readonly reverse: boolean
  readonly differentiated: boolean
  /** Whether hidden layers are results too, and which carries' last values are. */
  readonly watched: boolean
}

export const networks: fc.Arbitrary<Network> = fc.record({
  layers: fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      units: fc.integer({ min: 2, max: 4 }),
      shortcut: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  steps: fc.integer({ min: 2, max: 5 }),
  reverse: fc.boolean(),
  differentiated: fc.boolean(),
  watched: fc.boolean(),
})

const batch = 2
const inputs = 3
/** A step function with a smooth derivative of its own. */
const spike = customVjp((x: NDArray) => x.gt(0).astype(x.dtype))
spike.defvjp(
  (x: NDArray) => [spike(x), x],
  (x: NDArray, ct: NDArray) => [ct.div(np.square(x.mul(3)).add(1))],
)

/** A function of weights and inputs, and arguments for it. */
export function build(network: Network): { f: (...args: NDArray[]) => NDArray[]; args: NDArray[] } {
  const { layers, steps, reverse, differentiated, watched } = network
  const widths = [inputs, ...layers.map(({ units }) => units)]
  const weights = layers.map(({ units }, i) => filled(widths[i]!, units).mul(0.7))
  const shortcuts = layers.map(({ units }) => filled(inputs, units).mul(0.3))
  const recurrent = layers.map(({ units }) => filled(units, units).mul(0.2))
  const decays = layers.map(({ units }) => filled(units).mul(0.1).add(0.5))
  const xs = filled(steps, batch, inputs)
  const start = layers.map(({ units }) => np.zeros([batch, units], { dtype: 'float64' }))

  const run = (...flat: NDArray[]): NDArray[] => {
    const n = layers.length
    const [ws, ss, us, ds] = [0, 1, 2, 3].map((k) => flat.slice(k * n, k * n + n)) as [
      NDArray[],
      NDArray[],
      NDArray[],
      NDArray[],
    ]
    const step = (state: NDArray[], x: NDArray): [NDArray[], NDArray[]] => {
      const next: NDArray[] = []
      const seen: NDArray[] = []
      let signal = x
      layers.forEach(({ kind, shortcut }, i) => {
        const v = state[i]!
        let current = signal.matmul(ws[i]!)
        if (shortcut) current = current.add(x.matmul(ss[i]!))
        const spiked = spike(v.sub(0.5))
        switch (kind) {
          case 'leaky':
            next.push(v.mul(ds[i]!).add(current))
            signal = v
            break
          case 'normed':
            next.push(v.mul(ds[i]!).add(current))
            signal = v.sub(v.mean({ axis: 1, keepdims: true }))
            break
          case 'spiking':
            next.push(v.mul(ds[i]!).add(current).sub(spiked.mul(0.5)))
            signal = spiked
            break
          case 'smooth':
            next.push(np.tanh(v.mul(ds[i]!).add(current)))
            signal = next.at(-1)!
            break
          case 'dense':
            next.push(np.tanh(v.matmul(us[i]!).add(current)))
            signal = next.at(-1)!
            break
          case 'filter':
            next.push(v)
            signal = current.mul(ds[i]!)
        }
        seen.push(signal)
      })
      return [next, watched ? seen : [seen.at(-1)!]]
    }
    const [last, ys] = lax.scan(step, start, flat.at(-1)!, { reverse })
    return [...last, ...ys]
  }
  const loss = (...flat: NDArray[]): NDArray =>
    run(...flat).reduce(
      (sum, y, i) =>
        sum.add(
          np
            .square(y)
            .mul(i + 1)
            .sum(),
        ),
      np.array(0, { dtype: 'float64' }),
    )
  const args = [...weights, ...shortcuts, ...recurrent, ...decays, xs]
  const argnums = args.map((_, i) => i).slice(0, -1)
  return { f: differentiated ? (...flat) => grad(loss, { argnums })(...flat) as unknown as NDArray[] : run, args }
}
