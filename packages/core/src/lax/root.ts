/** Roots of functions, differentiated by the implicit function theorem instead of through the steps that found them. */
import type { NDArray } from '../array.ts'
import { customJvp } from '../control/custom.ts'
import { CarryMismatchError, checkOptions, misuse } from '../errors.ts'
import { FlatFunction, checkFunction, flattenArrays } from '../flat.ts'
import { sameAval, showAval } from '../ir/aval.ts'
import { neg } from '../primitive/elementwise.ts'
import { zerosLike } from '../primitive/zeros.ts'
import { flattenAny, difference, unflatten } from '../tree.ts'
import { jvp } from '../transform/autodiff.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { closureConvert, stage } from '../transform/staging.ts'

/**
 * A tree x with f(x) = 0, found by `solve`. Its derivative in what `f` closes over, p, is that of the implicit function,
 * ∂x = −(∂f/∂x)⁻¹ (∂f/∂p) ∂p, so that `solve` may be anything, a `whileLoop` say, and is not differentiated.
 *
 * @param f from a tree to one of the same structure and types
 * @param initialGuess where `solve` starts; the result does not depend on it
 * @param solve from f and the guess to a root, with `hasAux` to `[root, aux]`
 * @param tangentSolve from a linear function g and a tree y to the x with g(x) = y; for reverse mode it must be linear in y
 * @param options `hasAux`: `solve` also returns a tree that is not differentiated
 * @throws CarryMismatchError if `f` or `solve` changes the structure or a type
 * @example
 * ```ts
 * import { grad, lax, np } from 'fluxion'
 * const newton = (f, x) => lax.foriLoop(0, 8, (_, y) => lax.sub(y, lax.div(f(y), lax.mul(2, y))), x)
 * const root = (a) => lax.customRoot((x) => lax.sub(lax.square(x), a), np.array(1), newton, (g, y) => lax.div(y, g(np.array(1))))
 * root(np.array(4)).item() // => 2
 * grad(root)(4).item() // => 0.25
 * ```
 */
export function customRoot<T, Aux>(
  f: (x: T) => T,
  initialGuess: T,
  solve: (f: (x: T) => T, guess: T) => readonly [T, Aux],
  tangentSolve: (g: (x: T) => T, y: T) => T,
  options: { hasAux: true },
): [T, Aux]
export function customRoot<T>(
  f: (x: T) => T,
  initialGuess: T,
  solve: (f: (x: T) => T, guess: T) => T,
  tangentSolve: (g: (x: T) => T, y: T) => T,
  options?: { hasAux?: false },
): T
export function customRoot<T>(
  f: (x: T) => T,
  initialGuess: T,
  solve: (f: (x: T) => T, guess: T) => unknown,
  tangentSolve: (g: (x: T) => T, y: T) => T,
  options: { hasAux?: boolean } = {},
): unknown {
  checkFunction('customRoot', f)
  checkFunction('customRoot', solve)
  checkFunction('customRoot', tangentSolve)
  checkOptions('customRoot', options, ['hasAux'])
  const { hasAux = false } = options
  const guess = flattenArrays('customRoot: the initial guess', initialGuess)
  const [, argsDef] = flattenAny([initialGuess])
  const flat = new FlatFunction('customRoot', f as (...args: never[]) => unknown, argsDef)
  const [program, captured] = closureConvert(
    stage(
      'customRoot',
      flat.call,
      guess.leaves.map((x) => x.aval),
    ),
  )
  const outs = program.jaxpr.outputs.map((out) => out.aval)
  checkSame(
    'f',
    difference(guess.def, flat.outDef),
    guess.leaves,
    outs.map((type) => ({ aval: type })),
  )

  /** f as a function of what it closes over as well. */
  const applied = (consts: readonly NDArray[], x: T): T =>
    unflatten(guess.def, evalJaxpr(program, [...consts, ...flattenArrays('customRoot', x).leaves])) as T
  const rule = customJvp((consts: readonly NDArray[], start: T): readonly [T, unknown] => {
    const found = solve((x) => applied(consts, x), start)
    const [root, aux] = hasAux ? (found as readonly [T, unknown]) : [found as T, null]
    const { leaves, def } = flattenArrays('customRoot: the root', root)
    checkSame('solve', difference(guess.def, def), guess.leaves, leaves)
    return [root, aux]
  })
  rule.defjvp(([consts, start], [tangents]) => {
    const [root, aux] = rule(consts, start)
    const still = (tree: unknown): unknown => {
      const { leaves, def } = flattenArrays('customRoot', tree)
      return unflatten(
        def,
        leaves.map((leaf) => zerosLike(leaf.aval)),
      )
    }
    const [, moved] = jvp((...given: NDArray[]) => applied(given, root) as never, [...consts], [...tangents] as never)
    const target = flattenArrays('customRoot', moved).leaves.map((leaf) => neg(leaf))
    const linear = (v: T): T => jvp((x: T) => applied(consts, x) as never, [root], [v])[1] as T
    return [
      [root, aux],
      [tangentSolve(linear, unflatten(guess.def, target) as T), still(aux)],
    ]
  })
  const [root, aux] = rule(captured, initialGuess)
  return hasAux ? [root, aux] : root
}

function checkSame(
  what: string,
  found: string | undefined,
  expected: readonly NDArray[],
  got: readonly Pick<NDArray, 'aval'>[],
): void {
  if (found !== undefined) throw new CarryMismatchError(`customRoot: ${what} changes the structure: ${found}`)
  expected.forEach(({ aval }, i) => {
    const type = got[i]!.aval
    if (!sameAval({ ...aval, weakType: false }, { ...type, weakType: false })) {
      throw new CarryMismatchError(misuse(`customRoot: ${what}`, `a result of type ${showAval(aval)}`, showAval(type)))
    }
  })
}
