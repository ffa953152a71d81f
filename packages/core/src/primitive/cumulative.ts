/** Running sums, products, extremes and log-sum-exps along an axis, from either end. */
import type { NDArray } from '../array.ts'
import { accumulateHost } from '../backend/reference/accumulate.ts'
import { type DType, isFloat } from '../dtype.ts'
import { DtypeError, ShapeError, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { bind1, ruleOf } from '../trace.ts'
import { associativeScan } from './associative.ts'
import { allBut } from './axes.ts'
import { type Primitive, type Tangent, definePrimitive, primitives } from './define.ts'
import { abs, add, eq, exp, log1p, max, mul, ne, neg, select, sub } from './elementwise.ts'
import { rev } from './movement.ts'
import { linearJvp, linearTransposeOf, scalarLike } from './rules.ts'
import { instantiate } from './zeros.ts'

interface Params {
  readonly axis: number
  readonly reverse: boolean
}
type Cumulative = (x: NDArray, axis: number, reverse?: boolean) => NDArray
/** A value with its tangent. */
type Dual = readonly [NDArray, NDArray]

/** What sets one running fold apart. */
interface Row extends Pick<Primitive<Params>, 'transpose'> {
  readonly takes: readonly [string, (dtype: DType) => boolean]
  readonly step: (dtype: DType) => (accumulated: number, x: number) => number
  readonly jvp: NonNullable<Primitive<Params>['jvp']>
}

function cumulative(name: string, { takes, step, ...rules }: Row): Cumulative {
  const run: Cumulative = (x, axis, reverse = false) => bind1(primitive, [x], { axis, reverse })
  const primitive: Primitive<Params> = definePrimitive<Params>({
    name,
    type([x], { axis }) {
      if (!takes[1](x!.dtype)) throw new DtypeError(misuse(name, takes[0], showAval(x!), 'x.astype(dtype) converts'))
      if (x!.shape[axis] === undefined)
        throw new ShapeError(misuse(name, 'an axis of the operand', `axis ${axis} of ${showAval(x!)}`))
      return [x!]
    },
    batch: ([x], [dim], { axis, reverse }) => [[run(x!, axis >= dim! ? axis + 1 : axis, reverse)], [dim!]],
    // along the axis every element needs those before it
    axes: allBut(({ axis }) => [axis]),
    reference: ([x], { axis, reverse }) => [accumulateHost(x!, axis, reverse, step(x!.dtype))],
    ...rules,
  })
  return run
}

/** The JVP of a running fold with an operation whose JVP is `combine`. */
const scanJvp =
  (combine: (a: Dual, b: Dual) => Dual): NonNullable<Primitive<Params>['jvp']> =>
  ([x], [t], { axis, reverse }): [NDArray[], Tangent[]] => {
    const turn = (a: NDArray) => (reverse ? rev(a, [axis]) : a)
    const [out, tangent] = associativeScan(combine, [turn(x!), turn(instantiate(t!))], axis)
    return [[turn(out)], [turn(tangent)]]
  }

/** The JVP of a binary operation as its own row has it. */
const ofPrimitive =
  (name: string) =>
  ([x, dx]: Dual, [y, dy]: Dual): Dual => {
    const [[out], [tangent]] = ruleOf(primitives.get(name)!, 'jvp')([x, y], [dx, dy], {} as never)
    return [out!, instantiate(tangent!)]
  }

/** log(eˣ + eʸ) without overflow; its derivatives are the softmax of the two, in which infinities count as zero. */
function logAddExp([x, dx]: Dual, [y, dy]: Dual): Dual {
  const difference = sub(x, y)
  const sum = add(max(x, y), log1p(exp(neg(abs(difference)))))
  // equal infinities differ by NaN
  const out = select(ne(difference, difference), add(x, y), sum)
  const finite = (a: NDArray) => select(eq(a, scalarLike(a, Infinity)), scalarLike(a, 0), a)
  const share = (a: NDArray) => exp(sub(finite(a), finite(out)))
  return [out, add(mul(dx, share(x)), mul(dy, share(y)))]
}
function logAddExpOf(a: number, b: number): number {
  if (a === b) return a + Math.LN2
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))
}

const numbers = ['integers or floats', (dtype: DType) => dtype !== 'bool'] as const

const cumsumJvp = linearJvp<Params>(
  (x, { axis, reverse }) => cumsum(x, axis, reverse),
  (_, x) => x,
)
/** The running sum. */
export const cumsum: Cumulative = cumulative('cumsum', {
  takes: numbers,
  step: () => (sum, x) => sum + x,
  jvp: cumsumJvp,
  transpose: linearTransposeOf((ct, _, { axis, reverse }) => cumsum(ct, axis, !reverse)),
})
/** The running product. */
export const cumprod: Cumulative = cumulative('cumprod', {
  takes: numbers,
  step: (dtype) => (isFloat(dtype) ? (product, x) => product * x : Math.imul),
  jvp: scanJvp(ofPrimitive('mul')),
})
/** The running maximum. */
export const cummax: Cumulative = cumulative('cummax', {
  takes: numbers,
  step: () => Math.max,
  jvp: scanJvp(ofPrimitive('max')),
})
/** The running minimum. */
export const cummin: Cumulative = cumulative('cummin', {
  takes: numbers,
  step: () => Math.min,
  jvp: scanJvp(ofPrimitive('min')),
})
/** The logarithm of the running sum of exponentials. */
export const cumlogsumexp: Cumulative = cumulative('cumlogsumexp', {
  takes: ['floats', isFloat],
  step: () => logAddExpOf,
  jvp: scanJvp(logAddExp),
})
