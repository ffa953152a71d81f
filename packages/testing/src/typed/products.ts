/** Products of random programs: sums over any pairs of axes, batched or not, and convolutions. */
import { type NDArray, isFloat, lax } from '@fluxion/core'
import { sizeOf } from './fitting.ts'
import { type Rule, type Site, rule } from './site.ts'

/** Sums of products, made small: `count` of them each. */
const scaled = (x: NDArray, count: number, site: Site): NDArray =>
  !isFloat(x.dtype) || site.exact ? site.kept(x) : x.div(Math.sqrt(Math.max(1, count)))
const ranked = (x: NDArray): boolean => x.ndim > 0

export const products: readonly Rule[] = [
  rule('dotGeneral', {}, (site) => {
    const x = site.pick()!
    const y = site.pick((other) => other.dtype === x.dtype)!
    // Axes of equal sizes, each used once, are batch axes, summed, or left alone.
    const left = new Set(site.shuffled(x.shape.map((_, a) => a)))
    const right = new Set(site.shuffled(y.shape.map((_, a) => a)))
    const dims: [[number[], number[]], [number[], number[]]] = [
      [[], []],
      [[], []],
    ]
    for (const a of left) {
      const b = [...right].find((axis) => y.shape[axis] === x.shape[a])
      const use = site.below(4)
      if (b === undefined || use === 3) continue
      const [xs, ys] = dims[use === 2 ? 1 : 0]
      xs.push(a)
      ys.push(b)
      left.delete(a)
      right.delete(b)
    }
    site.note(dims)
    const sizes = (axes: Iterable<number>, z: NDArray): number[] => [...axes].map((a) => z.shape[a]!)
    const count = sizeOf(sizes(dims[0][0], x))
    if (!site.fits([...sizes(dims[1][0], x), ...sizes(left, x), ...sizes(right, y)])) return undefined
    return scaled(lax.dotGeneral(x, y, dims), count, site)
  }),
  rule('matmul', {}, (site) => {
    const x = site.pick((one) => one.ndim === 2)
    const y = x && site.pick((other) => other.dtype === x.dtype && other.ndim === 2 && other.shape[0] === x.shape[1])
    return y && site.fits([x.shape[0]!, y.shape[1]!]) ? scaled(lax.dot(x, y), x.shape[1]!, site) : undefined
  }),
  rule('gram', {}, (site) => {
    const x = site.pick((one) => one.ndim === 2 && site.fits([one.shape[0]!, one.shape[0]!]))
    return (
      x &&
      scaled(
        lax.dotGeneral(x, x, [
          [[1], [1]],
          [[], []],
        ]),
        x.shape[1]!,
        site,
      )
    )
  }),
  rule('convolution', {}, (site) => {
    const x = site.pick((one) => ranked(one) && one.size > 0 && one.dtype !== 'bool')
    const y = x && site.pick((other) => other.dtype === x.dtype && ranked(other) && other.size > 0 && other.size <= 99)
    if (x === undefined || y === undefined) return undefined
    const features = x.ndim > 1 && y.ndim > 1 && x.shape.at(-2) === y.shape.at(-2) ? x.shape.at(-2)! : 1
    const space = x.shape.at(-1)!
    const window = y.shape.at(-1)!
    const lhs = x.reshape([x.size / features / space, features, space])
    const rhs = y.reshape([y.size / features / window, features, window])
    const [stride, low, high] = [1 + site.below(2), site.below(3), site.below(3)]
    const [lhsDilation, rhsDilation] = [1 + site.below(2), 1 + site.below(2)]
    site.note({ features, stride, padding: [low, high], lhsDilation, rhsDilation })
    if (!site.fits([lhs.shape[0]!, rhs.shape[0]!, space * lhsDilation + low + high])) return undefined
    if (lhs.size * rhs.size > 20_000) return undefined
    const out = lax.convGeneralDilated(lhs, rhs, [stride], [[low, high]], {
      lhsDilation: [lhsDilation],
      rhsDilation: [rhsDilation],
    })
    return scaled(out, features * window, site)
  }),
]
