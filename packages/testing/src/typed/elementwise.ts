/** Elementwise operations of random programs: on floats, integers and booleans, with operands that broadcast. */
import { type NDArray, isFloat, lax, np, stopGradient } from '@fluxion/core'
import { as, sameShape } from './fitting.ts'
import { type Rule, type Site, rule } from './site.ts'

const exact: Partial<Rule> = { kind: 'exact' }
const approximate: Partial<Rule> = { kind: 'approximate' }
const unary = (name: string, options: Partial<Rule>, f: (x: NDArray, site: Site) => NDArray): Rule =>
  rule(name, options, (site) => {
    const x = site.float()
    return x && site.kept(f(x, site))
  })
/** Two floats, of which one may broadcast to the other. */
const binary = (name: string, options: Partial<Rule>, f: (x: NDArray, y: NDArray, site: Site) => NDArray): Rule =>
  rule(name, options, (site) => {
    const x = site.float()
    const y = x && site.pick((other) => other.dtype === x.dtype && broadcasts(site, x, other))
    return y && site.kept(f(x, y, site))
  })
const broadcasts = (site: Site, { shape: x }: NDArray, { shape: y }: NDArray): boolean => {
  const rank = Math.max(x.length, y.length)
  const shape = Array.from({ length: rank }, (_, k) => {
    const [a, b] = [x.at(k - rank) ?? 1, y.at(k - rank) ?? 1]
    const [p, q] = [k - rank + x.length < 0 ? 1 : a, k - rank + y.length < 0 ? 1 : b]
    return p === q || q === 1 ? p : p === 1 ? q : -1
  })
  return shape.every((size) => size >= 0) && site.fits(shape)
}
const integral = ({ dtype }: NDArray): boolean => !isFloat(dtype) && dtype !== 'bool'
const integers = (name: string, f: (x: NDArray, y: NDArray) => NDArray): Rule =>
  rule(name, {}, (site) => {
    const x = site.pick(integral)
    const y = x && site.pick((other) => other.dtype === x.dtype && broadcasts(site, x, other))
    return y && f(x, y)
  })
const integer = (name: string, f: (x: NDArray) => NDArray): Rule =>
  rule(name, {}, (site) => {
    const x = site.pick(integral)
    return x && f(x)
  })
const comparisons = {
  lt: np.less,
  le: np.lessEqual,
  gt: np.greater,
  ge: np.greaterEqual,
  eq: np.equal,
  ne: np.notEqual,
}

export const elementwise: readonly Rule[] = [
  unary('neg', {}, (x) => x.neg()),
  unary('abs', exact, (x) => np.abs(x)),
  unary('floor', exact, (x) => np.floor(x)),
  unary('ceil', exact, (x) => np.ceil(x)),
  unary('sign', exact, (x) => np.sign(x)),
  unary('round', exact, (x) => np.round(x)),
  unary('square', {}, (x) => np.square(x)),
  unary('scaled', {}, (x, site) => x.mul(site.among([0.5, -0.25, 2])).add(site.among([0, 0.125, -1]))),
  unary('stopped', {}, (x) => stopGradient(x)),
  unary('sin', approximate, (x) => np.sin(x)),
  unary('cos', approximate, (x) => np.cos(x)),
  unary('atan', approximate, (x) => np.arctan(x)),
  unary('logistic', approximate, (x) => np.reciprocal(np.exp(x.neg()).add(1))),
  unary('softplus', approximate, (x) => np.logaddexp(x, 0)),
  unary('log1p', approximate, (x) => np.log1p(np.square(x))),
  unary('expm1', approximate, (x) => np.expm1(x)),
  unary('sqrt', approximate, (x) => np.sqrt(np.square(x).add(0.5))),
  unary('rsqrt', approximate, (x) => lax.rsqrt(np.square(x).add(0.5))),
  unary('erf', approximate, (x) => lax.erf(x)),
  binary('add', {}, (x, y) => x.add(y)),
  binary('sub', {}, (x, y) => x.sub(y)),
  binary('mul', {}, (x, y) => x.mul(y)),
  binary('max', exact, (x, y) => np.maximum(x, y)),
  binary('min', exact, (x, y) => np.minimum(x, y)),
  binary('div', approximate, (x, y) => x.div(np.square(y).add(1))),
  binary('pow', approximate, (x, y) => np.power(np.square(x).add(0.5), y)),
  binary('atan2', approximate, (x, y) => np.arctan2(x, np.square(y).add(0.5))),
  rule('clip', exact, (site) => {
    const x = site.float()
    return x && np.clip(x, -1, site.among([0, 0.5, 3]))
  }),
  rule('where', {}, (site) => {
    const x = site.pick()!
    const condition = site.pick((c) => c.dtype === 'bool' && sameShape(c.shape, x.shape))
    return condition && np.where(condition, x, site.like(x))
  }),
  rule('compare', {}, (site) => {
    const x = site.pick((one) => site.exact || !isFloat(one.dtype))
    const which = site.among(Object.keys(comparisons) as (keyof typeof comparisons)[])
    site.note(which)
    return x && comparisons[which](x, site.like(x))
  }),
  rule('logical', {}, (site) => {
    const x = site.pick((one) => one.dtype === 'bool')
    return x && site.among([np.logicalAnd, np.logicalOr, np.logicalXor])(x, site.like(x))
  }),
  rule('not', {}, (site) => {
    const x = site.pick((one) => !isFloat(one.dtype))
    return x && np.bitwiseNot(x)
  }),
  integers('integerAdd', (x, y) => x.add(y)),
  integers('integerSub', (x, y) => x.sub(y)),
  integers('integerMul', (x, y) => x.mul(y)),
  integers('integerMax', (x, y) => np.maximum(x, y)),
  integers('and', (x, y) => np.bitwiseAnd(x, y)),
  integers('or', (x, y) => np.bitwiseOr(x, y)),
  integers('xor', (x, y) => np.bitwiseXor(x, y)),
  integers('shiftLeft', (x, y) => np.leftShift(x, y)),
  integers('shiftRight', (x, y) => np.rightShift(x, y)),
  integers('floorDivide', (x, y) => np.floorDivide(x, np.bitwiseOr(y, np.array(1, { dtype: y.dtype })))),
  integers('remainder', (x, y) => np.remainder(x, np.bitwiseOr(y, np.array(1, { dtype: y.dtype })))),
  integer('integerNeg', (x) => x.neg()),
  integer('integerAbs', (x) => np.abs(x)),
  integer('populationCount', (x) => lax.populationCount(x)),
  integer('clz', (x) => lax.clz(x)),
  rule('convert', {}, (site) => {
    const x = site.pick()!
    const dtypes = site.settings.dtypes.filter((dtype) => dtype !== x.dtype && (site.exact || !isFloat(x.dtype)))
    if (dtypes.length === 0) return undefined
    const dtype = site.among(dtypes)
    site.note(dtype)
    return as(x, dtype, site.exact)
  }),
]
