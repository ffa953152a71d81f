/** Derivatives against central differences: forward and reverse mode, to any order. */
import { NDArray, isFloat, jvp, np, tree, vjp } from '@fluxion/core'
import { CheckError, showIndex } from './close.ts'
import { directionLike, elementsOf, numbersFrom } from './numbers.ts'

/** Forward mode (`jvp`) or reverse mode (`vjp`). */
export type GradMode = 'fwd' | 'rev'
export interface CheckGradsOptions {
  /** The highest order of derivatives to check; 2 by default. */
  readonly order?: number
  /** The modes to check, and to nest for higher orders; both by default. */
  readonly modes?: readonly GradMode[]
  /** The step of central differences; 1e-5 by default. */
  readonly eps?: number
  /** Tolerances, 1e-6 by default: an error of `atol + rtol·|expected|` is allowed. */
  readonly atol?: number
  readonly rtol?: number
}

/** A function of a list of arrays, with names for its results. */
interface Flat {
  readonly f: (xs: NDArray[]) => NDArray[]
  readonly results: readonly string[]
}
interface Setting extends Required<CheckGradsOptions> {
  readonly xs: NDArray[]
  readonly names: readonly string[]
  readonly next: () => number
}

const zerosFor = (x: NDArray): NDArray => np.zeros([...x.shape], { dtype: isFloat(x.dtype) ? x.dtype : 'bool' })
function dot(x: NDArray, y: NDArray): number {
  const others = elementsOf(y)
  return elementsOf(x).reduce((sum, value, i) => sum + value * others[i]!, 0)
}

/** A check of one order; `derivation` says how the function was made of the user's. */
function check({ f, results }: Flat, setting: Setting, order: number, derivation: string): void {
  const { xs, names, modes, eps, atol, rtol, next } = setting
  const where = `checkGrads, order ${order}${derivation}`
  const compare = (mode: string, what: string, got: number, expected: number): void => {
    if (Object.is(got, expected) || Math.abs(got - expected) <= atol + rtol * Math.abs(expected)) return
    throw new CheckError(
      `${where}: ${mode} gives ${what} as ${got}, central differences ${expected}\nhint: the rule is wrong, or the function not smooth there`,
    )
  }
  const cts = f(xs).map((out) => directionLike(out, next))
  const pulled = modes.includes('rev') ? vjp(f as (xs: NDArray[]) => NDArray[], xs)[1](cts)[0] : undefined
  xs.forEach((x, i) => {
    if (!isFloat(x.dtype) || x.size === 0) return
    const v = directionLike(x, next)
    const moved = (h: number): NDArray[] =>
      f(xs.map((other, k) => (k === i ? np.add(other, np.multiply(v, h)) : other)))
    const [above, below] = [moved(eps), moved(-eps)]
    const numeric = above.map((out, k) =>
      out
        .sub(below[k]!)
        .div(2 * eps)
        .astype('float64'),
    )
    if (modes.includes('fwd')) {
      const [, tangents] = jvp(f, [xs], [xs.map((other, k) => (k === i ? v : zerosFor(other)))])
      tangents.forEach((tangent, k) => {
        const expected = elementsOf(numeric[k]!)
        elementsOf(tangent).forEach((got, at) =>
          compare(
            'forward mode',
            `the derivative of result${results[k]}${showIndex(at, tangent.shape)} along ${names[i]}`,
            got,
            expected[at]!,
          ),
        )
      })
    }
    if (pulled === undefined) return
    const expected = numeric.reduce((sum, d, k) => sum + dot(d, cts[k]!), 0)
    compare('reverse mode', `the cotangent of ${names[i]} along a direction`, dot(pulled[i]!, v), expected)
  })
  if (order >= setting.order) return
  const tangents = xs.map((x) => (isFloat(x.dtype) ? directionLike(x, next) : zerosFor(x)))
  for (const mode of modes) {
    const derived: Flat =
      mode === 'fwd'
        ? { f: (ys) => jvp(f, [ys], [tangents])[1], results }
        : {
            f: (ys) => floatsOf(vjp(f as (xs: NDArray[]) => NDArray[], ys)[1](cts)[0]),
            results: names.filter((_, i) => isFloat(xs[i]!.dtype)).map((name) => `'s cotangent of ${name}`),
          }
    check(derived, setting, order + 1, `${derivation}, of the ${mode === 'fwd' ? 'tangent' : 'cotangents'}`)
  }
}
const floatsOf = (xs: readonly NDArray[]): NDArray[] => xs.filter((x) => isFloat(x.dtype))

/**
 * Check the derivatives of a function against central differences, in float64: `jvp` element by element, `vjp` by the inner product
 * with a direction, and for higher orders the derivatives of both in turn.
 *
 * For each floating leaf x of the arguments and a direction v, (f(x + εv) − f(x − εv)) / 2ε must be what forward mode gives, and its
 * inner product with a cotangent c must be ⟨vjp(c), v⟩.
 *
 * @param args the arguments: trees of arrays, of which floats (and numbers) are made float64; those of other dtypes are held fixed
 * @throws CheckError that says which result, along which argument, in which mode and order
 * @see `jax.test_util.check_grads`
 * @example
 * ```ts
 * import { checkGrads } from '@fluxion/testing'
 * import { np } from 'fluxion'
 * checkGrads((x, w) => np.tanh(x.matmul(w)).sum(), [np.array([1, 2]), np.array([3, 4])])
 * ```
 */
export function checkGrads<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A,
  options: CheckGradsOptions = {},
): void {
  const { order = 2, modes = ['fwd', 'rev'], eps = 1e-5, atol = 1e-6, rtol = 1e-6 } = options
  const leaves = tree.leavesWithPath(args)
  const def = tree.structure(args)
  const xs = leaves.map(([, leaf]) => {
    const x = leaf instanceof NDArray ? leaf : np.array(leaf)
    return isFloat(x.dtype) ? x.astype('float64') : x
  })
  const names = leaves.map(([path]) => `argument ${path.replace(/^\[(\d+)\]/, '$1')}`)
  let results: string[] = []
  const flat = (ys: NDArray[]): NDArray[] => {
    const floats = tree.leavesWithPath(f(...(tree.unflatten(def, ys) as A))).filter(([, leaf]) => isFloat(leaf.dtype))
    results = floats.map(([path]) => (path === '' ? '' : ` ${path}`))
    return floats.map(([, leaf]) => leaf)
  }
  flat(xs)
  check({ f: flat, results }, { xs, names, order, modes, eps, atol, rtol, next: numbersFrom(1) }, 1, '')
}
