/** Operations of random programs along axes: reductions, running folds, windows, orders. */
import { type NDArray, isFloat, lax, np } from '@fluxion/core'
import { along } from './movement.ts'
import { type Rule, type Site, rule } from './site.ts'

/** A reduction over some axes, which may stay with size 1. */
const reduction = (
  name: string,
  options: Partial<Rule>,
  accepts: (x: NDArray) => boolean,
  f: (x: NDArray, axes: { axis: number[]; keepdims: boolean }, count: number, site: Site) => NDArray,
  empty = true,
): Rule =>
  rule(name, options, (site) => {
    const x = site.pick(accepts)
    if (x === undefined) return undefined
    const axis = site.some(x.shape.map((_, a) => a))
    const keepdims = site.chance()
    site.note({ axis, keepdims })
    const count = axis.reduce((product, a) => product * x.shape[a]!, 1)
    if (count === 0 && !empty) return undefined
    return f(x, { axis, keepdims }, Math.max(1, count), site)
  })
const floating = ({ dtype }: NDArray): boolean => isFloat(dtype)
const whole = ({ dtype }: NDArray): boolean => !isFloat(dtype) && dtype !== 'bool'
const ordered = (x: NDArray, site: Site): boolean => site.exact || !isFloat(x.dtype)

const windows = ['sum', 'max', 'min'] as const
export const folds: readonly Rule[] = [
  reduction('sum', {}, floating, (x, axes, count, site) =>
    site.exact ? site.kept(x.sum(axes)) : x.sum(axes).div(Math.sqrt(count)).mul(0.5),
  ),
  reduction('integerSum', {}, whole, (x, axes) => x.sum(axes)),
  reduction('integerProd', { modes: ['fwd', 'rev'] }, whole, (x, axes) => x.prod(axes)),
  reduction('prod', { kind: 'approximate' }, floating, (x, axes) => np.tanh(np.prod(np.cos(x), axes))),
  reduction('logsumexp', { kind: 'approximate' }, floating, (x, axes) => np.tanh(np.log(np.exp(x).sum(axes).add(1)))),
  reduction('variance', { kind: 'approximate' }, floating, (x, axes) => np.tanh(x.var(axes)), false),
  reduction(
    'max',
    { kind: 'exact' },
    () => true,
    (x, axes) => x.max(axes),
    false,
  ),
  reduction(
    'min',
    { kind: 'exact' },
    () => true,
    (x, axes) => x.min(axes),
    false,
  ),
  reduction(
    'integerMax',
    {},
    (x) => !isFloat(x.dtype),
    (x, axes) => x.max(axes),
    false,
  ),
  reduction(
    'any',
    {},
    (x) => x.dtype === 'bool',
    (x, axes) => np.any(x, axes),
  ),
  reduction(
    'all',
    {},
    (x) => x.dtype === 'bool',
    (x, axes) => np.all(x, axes),
  ),
  along('argmax', {}, (x, axis, site) => {
    if (x.shape[axis] === 0 || !ordered(x, site)) return undefined
    return site.among([lax.argmax, lax.argmin])(x, axis, 'int32')
  }),
  along('cumulative', {}, (x, axis, site) => {
    const reverse = site.chance()
    site.note({ reverse })
    if (x.dtype === 'bool') return undefined
    const sum = lax.cumsum(x, { axis, reverse })
    if (isFloat(x.dtype) && !site.exact) return sum.div(Math.sqrt(Math.max(1, x.shape[axis]!))).mul(0.5)
    return site.kept(sum)
  }),
  along('cumulativeExtreme', { kind: 'exact' }, (x, axis, site) => {
    const reverse = site.chance()
    site.note({ reverse })
    return x.dtype === 'bool' ? undefined : site.among([lax.cummax, lax.cummin])(x, { axis, reverse })
  }),
  along('cumprod', {}, (x, axis, site) => (whole(x) ? lax.cumprod(x, { axis, reverse: site.chance() }) : undefined)),
  along('cumlogsumexp', { kind: 'approximate' }, (x, axis, site) =>
    isFloat(x.dtype) ? np.tanh(lax.cumlogsumexp(x, { axis, reverse: site.chance() })) : undefined,
  ),
  along('sort', {}, (x, axis, site) => (ordered(x, site) ? np.sort(x, { axis }) : undefined)),
  along('argsort', {}, (x, axis, site) => (ordered(x, site) ? np.argsort(x, { axis }) : undefined)),
  along('sortTogether', {}, (x, axis, site) => {
    const y = site.pick((other) => other.ndim === x.ndim && other.shape.every((size, a) => size === x.shape[a]))!
    const numKeys = 1 + site.below(2)
    if (!ordered(x, site) || (numKeys === 2 && !ordered(y, site))) return undefined
    site.note({ numKeys })
    return lax.sort([x, y], { dimension: axis, numKeys })
  }),
  along('topK', {}, (x, axis, site) => {
    const k = site.below(Math.min(4, x.shape[axis]!) + 1)
    site.note({ k })
    return ordered(x, site) && x.dtype !== 'bool' ? lax.topK(x, k, { axis }) : undefined
  }),
  along('window', {}, (x, axis, site) => {
    const kind = site.among(windows)
    const window = 1 + site.below(3)
    const stride = 1 + site.below(2)
    const padding = site.among([0, 1])
    site.note({ kind, window, stride, padding })
    if (x.dtype === 'bool' || (kind !== 'sum' && !ordered(x, site))) return undefined
    if (x.shape[axis]! + 2 * padding < window) return undefined
    const at = (value: number, other: number): number[] => x.shape.map((_, a) => (a === axis ? value : other))
    const pads = x.shape.map((_, a) => (a === axis ? ([padding, padding] as const) : ([0, 0] as const)))
    const options = { windowStrides: at(stride, 1), padding: pads }
    const start = { sum: 0, max: isFloat(x.dtype) ? -4 : 0, min: isFloat(x.dtype) ? 4 : 100 }[kind]
    const init = np.array(start, { dtype: x.dtype })
    const fold = { sum: lax.add, max: lax.max, min: lax.min }[kind]
    const found = lax.reduceWindow(x, init, fold, at(window, 1), options)
    return isFloat(x.dtype) && !site.exact ? found.mul(0.5) : site.kept(found)
  }),
]
