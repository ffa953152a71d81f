/** Operations of random programs at positions known at run time only, and random bits. */
import { type NDArray, isFloat, lax, np, random } from '@fluxion/core'
import { along } from './movement.ts'
import { type Rule, type Site, rule } from './site.ts'

const nonEmpty = (x: NDArray): boolean => x.size > 0
/** A vector of positions along an axis, some of which may lie outside. */
function positions(site: Site, size: number): NDArray | undefined {
  const from = site.pick((x) => !isFloat(x.dtype) && x.dtype !== 'bool' && x.size > 0 && x.size <= 64)
  return from && np.remainder(from.reshape([-1]).astype('int32'), size + 2).sub(1)
}
const modes = ['fill', 'clip'] as const
const element = (x: NDArray, axis: number, site: Site): NDArray =>
  lax.dynamicIndexInDim(x, site.index(-1, x.shape[axis]!), { axis, keepdims: false })

export const indexing: readonly Rule[] = [
  along(
    'take',
    {},
    (x, axis, site) => {
      const indices = positions(site, x.shape[axis]!)
      const mode = site.among(modes)
      site.note({ mode })
      if (indices === undefined || !site.fits(x.shape.with(axis, indices.size))) return undefined
      const fillValue = site.among([0, 1])
      return np.take(x, indices, mode === 'fill' ? { axis, mode, fillValue } : { axis, mode })
    },
    nonEmpty,
  ),
  along('element', {}, element, nonEmpty),
  along(
    'dynamicSlice',
    {},
    (x, axis, site) => {
      const size = site.below(x.shape[axis]! + 1)
      site.note({ size })
      return lax.dynamicSliceInDim(x, site.index(-2, x.shape[axis]! + 1), size, { axis })
    },
    nonEmpty,
  ),
  along(
    'dynamicUpdateSlice',
    {},
    (x, axis, site) => {
      const update = site.pick(
        (y) =>
          y.dtype === x.dtype &&
          y.ndim === x.ndim &&
          y.shape.every((size, a) => (a === axis ? size <= x.shape[a]! : size === x.shape[a])),
      )!
      return lax.dynamicUpdateSliceInDim(x, update, site.index(-2, x.shape[axis]!), axis)
    },
    nonEmpty,
  ),
  rule('setRow', {}, (site) => {
    const x = site.pick((one) => one.ndim > 0 && one.size > 0)
    if (x === undefined) return undefined
    const row = element(x, 0, site)
    return x.at(site.index(-1, x.shape[0]!)).set(site.chance() ? row : site.kept(row.add(row)))
  }),
  rule('addRows', {}, (site) => {
    const x = site.pick((one) => one.ndim > 0 && one.size > 0 && one.dtype !== 'bool')
    const rows = x && positions(site, x.shape[0]!)
    if (rows === undefined || x === undefined) return undefined
    const updates = np.take(x, rows, { axis: 0, mode: 'clip' })
    const added = x.at(rows).add(updates)
    return isFloat(x.dtype) && !site.exact ? np.tanh(added) : site.kept(added)
  }),
  rule('maxRows', { kind: 'exact', modes: [] }, (site) => {
    const x = site.pick((one) => one.ndim > 0 && one.size > 0 && one.dtype !== 'bool')
    const rows = x && positions(site, x.shape[0]!)
    return rows && x.at(rows).max(np.take(np.flip(x), rows, { axis: 0, mode: 'clip' }))
  }),
  rule('takeAlongAxis', {}, (site) => {
    const x = site.pick((one) => one.ndim > 0 && one.size > 0)
    if (x === undefined) return undefined
    const indices = site.pick(
      (i) => i.dtype === 'int32' && i.ndim === x.ndim && i.shape.every((n, a) => n === x.shape[a]),
    )
    return indices && np.takeAlongAxis(x, np.remainder(indices, x.shape.at(-1)!), { axis: -1 })
  }),
  rule('bits', {}, (site) => {
    const key = random.key(site.index(0, 7))
    const shape = [site.among(site.settings.sizes)]
    const bitWidth = site.among([8, 16, 32] as const)
    site.note({ shape, bitWidth })
    return random.bits(key, shape, { dtype: ({ 8: 'uint8', 16: 'uint16', 32: 'uint32' } as const)[bitWidth] })
  }),
  rule('uniform', {}, (site) => {
    const dtype = site.settings.dtypes.find((one) => one === 'float32' || one === 'float64')
    const shape = [site.among(site.settings.sizes), site.among(site.settings.sizes)]
    site.note({ shape })
    if (dtype === undefined || !site.fits(shape)) return undefined
    return site.kept(random.uniform(random.key(site.index(0, 7)), shape, { dtype }))
  }),
]
