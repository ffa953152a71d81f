/** Operations of random programs that move elements: reordered, reshaped, repeated, cut, padded, joined. */
import { type NDArray, lax, np } from '@fluxion/core'
import { sizeOf } from './fitting.ts'
import { type Rule, type Site, rule } from './site.ts'

const axesOf = (x: NDArray): number[] => x.shape.map((_, axis) => axis)
const ranked = (x: NDArray): boolean => x.ndim > 0
/** An operation along one axis of a value. */
export const along = (
  name: string,
  options: Partial<Rule>,
  f: (x: NDArray, axis: number, site: Site) => NDArray | readonly NDArray[] | undefined,
  accepts: (x: NDArray) => boolean = () => true,
): Rule =>
  rule(name, options, (site) => {
    const x = site.pick((one) => ranked(one) && accepts(one))
    if (x === undefined) return undefined
    const axis = site.below(x.ndim)
    site.note({ axis })
    return f(x, axis, site)
  })

export const movement: readonly Rule[] = [
  rule('transpose', {}, (site) => {
    const x = site.pick((one) => one.ndim > 1)
    const order = x && site.shuffled(axesOf(x))
    site.note(order ?? [])
    return x && np.transpose(x, order!)
  }),
  rule('reshape', {}, (site) => {
    const x = site.pick()!
    const divisors = site.settings.sizes.filter((size) => size > 1 && x.size % size === 0)
    const first = divisors.length === 0 ? 1 : site.among(divisors)
    const shapes = [[x.size], [first, x.size / first], [x.size / first, 1, first], [1, ...x.shape]]
    const shape = site.among(x.size === 1 ? [[], ...shapes] : shapes)
    site.note(shape)
    return site.fits(shape) ? x.reshape(shape) : undefined
  }),
  rule('broadcast', {}, (site) => {
    const x = site.pick()!
    const shape = x.shape.map((size) => (size === 1 ? site.among(site.settings.sizes) : size))
    const whole = site.chance() ? [site.among(site.settings.sizes), ...shape] : shape
    site.note(whole)
    return site.fits(whole) ? np.broadcastTo(x, whole) : undefined
  }),
  rule('flip', {}, (site) => {
    const x = site.pick(ranked)
    const axes = x && site.some(axesOf(x))
    site.note(axes ?? [])
    return x && lax.rev(x, axes!)
  }),
  along('slice', {}, (x, axis, site) => {
    const size = x.shape[axis]!
    const start = site.below(size + 1)
    const limit = start + site.below(size - start + 1)
    const stride = 1 + site.below(3)
    site.note([start, limit, stride])
    const all = axesOf(x)
    return lax.slice(
      x,
      all.map((a) => (a === axis ? start : 0)),
      all.map((a) => (a === axis ? limit : x.shape[a]!)),
      { strides: all.map((a) => (a === axis ? stride : 1)) },
    )
  }),
  along('pad', {}, (x, axis, site) => {
    const size = x.shape[axis]!
    const [low, high, interior] = [site.below(5) - 1, site.below(4) - 1, site.below(3)]
    const length = low + high + size + Math.max(0, size - 1) * interior
    const config = axesOf(x).map((a) => (a === axis ? ([low, high, interior] as const) : ([0, 0, 0] as const)))
    site.note([low, high, interior])
    if (length < 0 || !site.fits(x.shape.with(axis, length))) return undefined
    return lax.pad(x, np.array(site.below(2), { dtype: x.dtype }), config)
  }),
  along('concatenate', {}, (x, axis, site) => {
    const fits = (y: NDArray): boolean =>
      y.dtype === x.dtype && y.ndim === x.ndim && y.shape.every((size, a) => a === axis || size === x.shape[a])
    const parts = [x, ...Array.from({ length: 1 + site.below(2) }, () => site.pick(fits)!)]
    const total = parts.reduce((sum, part) => sum + part.shape[axis]!, 0)
    return site.fits(x.shape.with(axis, total)) ? np.concatenate(parts, { axis }) : undefined
  }),
  rule('stack', {}, (site) => {
    const x = site.pick()!
    const axis = site.below(x.ndim + 1)
    site.note({ axis })
    return site.fits([2, ...x.shape]) ? np.stack([x, site.like(x)], { axis }) : undefined
  }),
  along('roll', {}, (x, axis, site) => np.roll(x, site.below(5) - 2, { axis })),
  along('split', {}, (x, axis, site) => {
    const size = x.shape[axis]!
    const first = site.below(size + 1)
    site.note([first, size - first])
    return lax.split(x, [first, size - first], { axis })
  }),
  along('repeat', {}, (x, axis, site) => {
    const reps = axesOf(x).map((a) => (a === axis ? 2 : 1))
    return site.fits(x.shape.with(axis, 2 * x.shape[axis]!)) ? np.tile(x, reps) : undefined
  }),
  along('squeeze', {}, (x, axis) => (x.shape[axis] === 1 ? lax.squeeze(x, [axis]) : undefined)),
  rule('iota', {}, (site) => {
    const shape = [site.among(site.settings.sizes), site.among(site.settings.sizes)]
    const axis = site.below(2)
    site.note({ shape, axis })
    return sizeOf(shape) <= site.settings.limit ? lax.broadcastedIota('int32', shape, axis) : undefined
  }),
]
