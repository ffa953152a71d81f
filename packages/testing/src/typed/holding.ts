/** Operations of random programs that hold programs: loops, conditions, calls, custom rules, maps, derivatives. */
import {
  type NDArray,
  checkpoint,
  customJvp,
  customVjp,
  grad,
  isFloat,
  jit,
  jvp,
  lax,
  np,
  vjp,
  vmap,
} from '@fluxion/core'
import type { GradMode } from '../checkGrads.ts'
import { type Type, typeOf } from './fitting.ts'
import { type Rule, type Site, rule } from './site.ts'

type Pair = [NDArray, NDArray]
const holding = (name: string, apply: Rule['apply'], modes: readonly GradMode[] = ['fwd', 'rev']): Rule =>
  rule(name, { holds: true, modes }, apply)
const element = ({ shape, dtype }: NDArray): Type => ({ shape: shape.slice(1), dtype })
/** Floats in which sums of cotangents of exact programs are exact. */
const precise = ({ dtype }: NDArray): boolean => dtype === 'float32' || dtype === 'float64'
const differentiable =
  (site: Site) =>
  (x: NDArray): boolean =>
    isFloat(x.dtype) && (!site.exact || precise(x))

/** A loop over the rows of a value, or of two, or over nothing, with a carry of two. */
const scan = holding('scan', (site) => {
  const carry: Pair = [site.pick()!, site.pick()!]
  const xs = site.below(4) === 3 ? undefined : site.pick((x) => x.ndim > 0 && x.shape[0]! <= 17)
  const length = xs === undefined ? site.below(5) : xs.shape[0]!
  const more = xs && site.chance() ? site.pick((x) => x.ndim > 0 && x.shape[0] === length) : undefined
  const options = { length, reverse: site.chance(), unroll: 1 + site.below(3) }
  const out = site.chance() ? typeOf(carry[0]) : xs === undefined ? typeOf(carry[1]) : element(xs)
  const ys = Array.from({ length: site.below(3) }, () => out)
  site.note({ ...options, ys: ys.length })
  if (ys.some(({ shape }) => !site.fits([length, ...shape]))) return undefined
  const body = site.body(0, [...carry.map(typeOf), ...ys])
  const given = [xs, more].filter((x) => x !== undefined)
  const [last, stacked] = lax.scan(
    (c: NDArray[], rows: NDArray[] | null) => {
      const results = body(...c, ...(rows ?? []))
      return [results.slice(0, 2), results.slice(2)] as [NDArray[], NDArray[]]
    },
    [...carry] as NDArray[],
    (given.length === 0 ? null : given) as NDArray[],
    options,
  )
  return [...last, ...stacked]
})
/** A loop that changes a value row by row, where it lies. */
const rows = holding('foriLoop', (site) => {
  const x = site.pick((one) => one.ndim > 0 && one.size > 0)
  if (x === undefined) return undefined
  const other = site.pick()!
  const body = site.body(0, [element(x), typeOf(other)])
  const length = Math.min(5, x.shape[0]!)
  const add = site.chance() && x.dtype !== 'bool'
  site.note({ length, add })
  const step = (i: NDArray, [c, d]: Pair): Pair => {
    const row = lax.dynamicIndexInDim(c, i.sub(1), { axis: 0, keepdims: false })
    const [next, rest] = body(i, row, d) as Pair
    const at = c.at(i)
    const sum = add ? at.add(next) : at.set(next)
    return [isFloat(x.dtype) && add ? site.kept(sum) : sum, rest]
  }
  return lax.foriLoop(0, length, step, [x, other] as Pair)
})
const whileLoop = holding(
  'whileLoop',
  (site) => {
    const x = site.pick()!
    const count = site.index(0, 4)
    const body = site.body(0, [typeOf(x)])
    const test = ([i]: Pair): NDArray => i.lt(count)
    const step = ([i, c]: Pair): Pair => [i.add(1), body(i, c)[0]!]
    return lax.whileLoop(test, step, [np.array(0, { dtype: 'int32' }), x] as Pair)[1]
  },
  ['fwd'],
)
const cond = holding('cond', (site) => {
  const [x, y] = [site.pick()!, site.pick()!]
  const types = [typeOf(x), typeOf(y)]
  const [onTrue, onFalse] = [site.body(0, types), site.body(1, types)]
  const condition = site.condition()
  return lax.cond(
    condition,
    (a: NDArray, b: NDArray) => onTrue(a, b),
    (a: NDArray, b: NDArray) => onFalse(a, b),
    x,
    y,
  )
})
const choice = holding('switch', (site) => {
  const x = site.pick()!
  const [first, second] = [site.body(0, [typeOf(x)]), site.body(1, [typeOf(x)])]
  return lax.switch(
    site.index(-1, 3),
    [(a: NDArray) => first(a)[0]!, (a: NDArray) => a, (a: NDArray) => second(a)[0]!],
    x,
  )
})

/** A program of two values that gives one of the first one's type. */
function pair(
  site: Site,
  options: { needed?: readonly GradMode[]; closed?: boolean } = {},
  accepts: (x: NDArray) => boolean = () => true,
) {
  const x = site.pick(accepts)
  if (x === undefined) return undefined
  const y = site.pick()!
  const body = site.body(0, [typeOf(x)], options)
  return { x, y, f: (a: NDArray, b: NDArray): NDArray => body(a, b)[0]! }
}
const calling = (
  name: string,
  call: (f: (a: NDArray, b: NDArray) => NDArray) => (x: NDArray, y: NDArray) => unknown,
): Rule =>
  holding(name, (site) => {
    const found = pair(site)
    return found && (call(found.f)(found.x, found.y) as NDArray)
  })
const withJvp = holding('customJvp', (site) => {
  const found = pair(site, { needed: ['fwd'], closed: true })
  if (found === undefined) return undefined
  const f = customJvp(found.f)
  f.defjvp((primals, tangents) => jvp(found.f, primals, tangents))
  return f(found.x, found.y)
})
const withVjp = holding(
  'customVjp',
  (site) => {
    const found = pair(site, { needed: ['rev'], closed: true })
    if (found === undefined) return undefined
    const f = customVjp((a: NDArray, b: NDArray) => found.f(a, b))
    f.defvjp(
      (a, b) => [found.f(a, b), [a, b] as Pair],
      ([a, b], ct) => vjp(found.f, a, b)[1](ct) as Pair,
    )
    return f(found.x, found.y)
  },
  ['rev'],
)
const map = holding('vmap', (site) => {
  const x = site.pick((one) => one.ndim > 0 && one.size > 0)
  if (x === undefined) return undefined
  const axis = site.below(x.ndim)
  const y = site.pick()!
  const same = y.shape.flatMap((size, a) => (size === x.shape[axis] ? [a] : []))
  const other = same.length === 0 || site.below(3) === 0 ? null : site.among(same)
  const wanted: Type = { shape: x.shape.toSpliced(axis, 1), dtype: x.dtype }
  const outAxes = site.below(x.ndim)
  const body = site.body(0, [wanted])
  site.note({ inAxes: [axis, other], outAxes })
  return vmap((a: NDArray, b: NDArray) => body(a, b)[0]!, { inAxes: [axis, other], outAxes })(x, y)
})

const gradient = holding('grad', (site) => {
  const found = pair(site, { needed: ['rev'] }, differentiable(site))
  return found && site.kept(grad((a: NDArray, b: NDArray) => found.f(a, b).sum())(found.x, found.y))
})
const pullback = holding('vjp', (site) => {
  const found = pair(site, { needed: ['rev'] }, differentiable(site))
  if (found === undefined) return undefined
  const ct = site.like(found.x)
  const [out, back] = vjp((a: NDArray) => found.f(a, found.y), found.x)
  return [out, site.kept(back(ct)[0])]
})
const tangent = holding('jvp', (site) => {
  const found = pair(site, { needed: ['fwd'] }, differentiable(site))
  if (found === undefined) return undefined
  const t = site.like(found.x)
  const [out, pushed] = jvp((a: NDArray) => found.f(a, found.y), [found.x], [t])
  return [out, site.kept(pushed)]
})

export const holdingRules: readonly Rule[] = [
  scan,
  scan,
  rows,
  rows,
  whileLoop,
  cond,
  choice,
  calling('jit', (f) => jit(f)),
  calling('checkpoint', (f) => checkpoint(f)),
  withJvp,
  withVjp,
  map,
  gradient,
  gradient,
  pullback,
  tangent,
]
