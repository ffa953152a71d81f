/** Differentiation as users call it: functions of trees in, functions of trees out. */
import type { ArrayLike, NDArray } from '../array.ts'
import { isFloat } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, TreeError, checkOptions, misuse } from '../errors.ts'
import { FlatFunction, type FlatTree, checkFunction, flattenArgs, flattenArrays } from '../flat.ts'
import { type Aval, aval, sameAval, showAval } from '../ir/aval.ts'
import { inAvals } from '../ir/jaxpr.ts'
import { Linear, type Tangent, Zero } from '../primitive/define.ts'
import { convert } from '../primitive/elementwise.ts'
import { full } from '../primitive/movement.ts'
import { isZero } from '../primitive/rules.ts'
import { stopGradient as stop } from '../primitive/stop.ts'
import { instantiate } from '../primitive/zeros.ts'
import { type TreeDef, assertSameStructure, unflatten } from '../tree.ts'
import { scalar } from '../trace.ts'
import type { Fn, Lift, LiftAll, Tree, TreeLike } from '../types.ts'
import { evalJaxpr } from './eval.ts'
import { fillZeros, isDifferentiable, jvpFlat } from './jvp.ts'
import { type Linearized, linearizeFlat } from './linearize.ts'
import { stage } from './staging.ts'
import { transposeProgram } from './transpose.ts'

type AnyFunction = (...args: never[]) => unknown
type LooseAll<A extends readonly unknown[]> = {
  [K in keyof A]: Lift<A[K]> | (A[K] extends ArrayLike ? number | boolean : never)
}

/** The type that tangents of a value have: its own for floats, bool (always false) for all others. */
const tangentType = ({ shape, dtype }: Aval): Aval => (isFloat(dtype) ? aval(shape, dtype) : aval(shape, 'bool'))
const visible = (tangent: Tangent, primal: Aval): NDArray =>
  isDifferentiable(primal)
    ? instantiate(isZero(tangent) ? new Zero(tangentType(primal)) : tangent)
    : full(primal.shape, 0, 'bool')

/**
 * The result of a function and its directional derivative, in one forward pass.
 *
 * @param primals the arguments at which to differentiate
 * @param tangents the direction: trees like the primals; those of integers and booleans are ignored
 * @returns `[result, tangent]`
 * @throws TreeError or ShapeError if a tangent does not fit its primal
 * @example
 * ```ts
 * import { jvp } from 'fluxion'
 * const [y, dy] = jvp((x) => x.mul(x), [3], [1])
 * y.item() // => 9
 * dy.item() // => 6
 * ```
 */
export function jvp<A extends readonly TreeLike[] | readonly [], R extends Tree>(
  f: (...args: LiftAll<A>) => R,
  primals: A,
  tangents: LooseAll<NoInfer<A>>,
): [R, R]
export function jvp<A extends readonly unknown[], R extends Tree>(
  f: (...args: A) => R,
  primals: A,
  tangents: NoInfer<A>,
): [R, R]
export function jvp(f: AnyFunction, primals: readonly unknown[], tangents: readonly unknown[]): [unknown, unknown] {
  checkFunction('jvp', f)
  if (!Array.isArray(primals) || !Array.isArray(tangents))
    throw new TreeError(misuse('jvp', 'lists of primals and of tangents', typeof primals, 'jvp(f, [x], [t])'))
  const at = flattenArgs('jvp', primals)
  const along = flattenArgs('jvp: tangents', tangents)
  assertSameStructure('jvp: primals and tangents', at.def, along.def)
  const given = at.leaves.map((primal, i): Tangent => {
    const tangent = along.leaves[i]!
    if (!isDifferentiable(primal.aval)) return new Zero(primal.aval)
    return fitted('jvp', tangent, primal.aval, at.paths[i]!)
  })
  const flat = new FlatFunction('jvp', f, at.def)
  const [outs, outTangents] = jvpFlat('jvp', flat.call, at.leaves, given)
  const shown = outTangents.map((t, i) => visible(t, outs[i]!.aval))
  return [unflatten(flat.outDef, outs), unflatten(flat.outDef, shown)]
}

/** A tangent or cotangent in the type of its value; only weak ones are converted. */
function fitted(where: string, x: NDArray, type: Aval, path: string): NDArray {
  const wanted = tangentType(type)
  if (x.weakType && x.dtype !== wanted.dtype && x.ndim === 0 && wanted.shape.length === 0)
    return convert(x, wanted.dtype)
  if (sameAval(x.aval, wanted)) return x.weakType ? convert(x, wanted.dtype) : x
  const message = misuse(
    where,
    `${showAval(wanted)} for ${path === '' ? 'the result' : path}, like the value itself`,
    showAval(x.aval),
  )
  throw x.dtype === wanted.dtype ? new ShapeError(message) : new DtypeError(message)
}

interface Linear1 {
  readonly at: FlatTree
  readonly flat: FlatFunction
  readonly linear: Linearized
  readonly nonzero: readonly boolean[]
  readonly outDef: TreeDef
}
function linearizeAt(what: string, f: AnyFunction, primals: readonly unknown[]): Linear1 {
  checkFunction(what, f)
  const at = flattenArgs(what, primals)
  const flat = new FlatFunction(what, f, at.def)
  const nonzero = at.leaves.map((leaf) => isDifferentiable(leaf.aval))
  const linear = linearizeFlat(what, flat.call, at.leaves, nonzero, undefined, at.paths)
  return { at, flat, nonzero, linear, outDef: flat.outDef }
}
/** The structures of the two results of a function that returns a pair. */
export function splitPair(where: string, { outDef }: FlatFunction): readonly [TreeDef, TreeDef] {
  if (outDef.kind !== 'list' || outDef.children.length !== 2) {
    throw new TreeError(misuse(where, 'a function that returns a pair [value, aux]', `a tree ${String(outDef)}`))
  }
  return [outDef.children[0]!, outDef.children[1]!]
}
/** The map from cotangents of the results to cotangents of all arguments. */
function pullback({ at, linear, nonzero }: Linear1, cts: readonly Tangent[]): NDArray[] {
  const given = cts.filter((_, i) => linear.nonzeroOuts[i])
  const pulled = transposeProgram(
    linear.program,
    inAvals(linear.program).map((a) => new Linear(a)),
    given,
  )
  let next = 0
  return at.leaves.map((leaf, i) => visible(nonzero[i] ? pulled[next++]! : new Zero(leaf.aval), leaf.aval))
}

type Cotangent<R> = R extends NDArray ? number : never

/** `vjp`, and its form for functions with auxiliary results. */
export interface Vjp {
  <A extends readonly TreeLike[], R extends Tree>(
    f: (...args: LiftAll<A>) => R,
    ...primals: A
  ): [R, (cotangent: R | Cotangent<R>) => LiftAll<A>]
  <A extends readonly unknown[], R extends Tree>(
    f: (...args: A) => R,
    ...primals: A
  ): [R, (cotangent: R | Cotangent<R>) => A]
  /** `vjp` of a function that returns `[result, aux]`: gives `[result, pullback, aux]`. */
  withAux<A extends readonly unknown[], R extends Tree, Aux extends Tree>(
    f: (...args: A) => readonly [R, Aux],
    ...primals: A
  ): [R, (cotangent: R) => A, Aux]
}
function plainVjp(f: AnyFunction, ...primals: unknown[]): unknown {
  const at = linearizeAt('vjp', f, primals)
  return [
    unflatten(at.flat.outDef, at.linear.outs),
    (ct: unknown) => unflatten(at.at.def, pullback(at, checkCotangent(at, ct))),
  ]
}
function vjpWithAux(f: AnyFunction, ...primals: unknown[]): unknown {
  const linear = linearizeAt('vjp.withAux', f, primals)
  const [def, auxDef] = splitPair('vjp.withAux', linear.flat)
  const { outs } = linear.linear
  const pull = (ct: unknown): unknown => {
    const cts = checkCotangent({ ...linear, outDef: def }, ct)
    return unflatten(
      linear.at.def,
      pullback(linear, [...cts, ...outs.slice(def.leaves).map((out) => new Zero(out.aval))]),
    )
  }
  return [unflatten(def, outs.slice(0, def.leaves)), pull, unflatten(auxDef, outs.slice(def.leaves))]
}
/**
 * The result of a function and its pullback: the map from a cotangent of the result to cotangents of the arguments.
 *
 * @returns `[result, pullback]`; `pullback(ct)` is a list with a tree for each argument, false for integers and booleans
 * @example
 * ```ts
 * import { np, vjp } from 'fluxion'
 * const [y, pullback] = vjp((x, w) => x.mul(w), 3, 4)
 * pullback(1).map((ct) => ct.item()) // => [4, 3]
 * ```
 */
export const vjp: Vjp = Object.assign(plainVjp, { withAux: vjpWithAux }) as Vjp

function checkCotangent({ flat, linear, outDef }: Linear1, ct: unknown): NDArray[] {
  const given = flattenArrays('vjp: the cotangent', ct)
  assertSameStructure('vjp: the result and its cotangent', outDef, given.def)
  return given.leaves.map((leaf, i) => {
    const type = linear.outs[i]!.aval
    return isDifferentiable(type) ? fitted('vjp: the cotangent', leaf, type, flat.outPaths[i]!) : leaf
  })
}

/**
 * The result of a function and its derivative as a linear function, which may be called many times without running `f` again.
 *
 * @returns `[result, linear]`; `linear(...tangents)` is a tree like the result
 * @example
 * ```ts
 * import { linearize, np } from 'fluxion'
 * const [y, linear] = linearize((x) => np.sin(x), 0)
 * linear(2).item() // => 2
 * ```
 */
export function linearize<A extends readonly TreeLike[], R extends Tree>(
  f: (...args: LiftAll<A>) => R,
  ...primals: A
): [R, (...tangents: LooseAll<A>) => R]
export function linearize<A extends readonly unknown[], R extends Tree>(
  f: (...args: A) => R,
  ...primals: A
): [R, (...tangents: A) => R]
export function linearize(f: AnyFunction, ...primals: unknown[]): [unknown, (...tangents: never[]) => unknown] {
  const { at, flat, linear, nonzero } = linearizeAt('linearize', f, primals)
  const apply = (...tangents: unknown[]): unknown => {
    const given = flattenArgs('linearize: tangents', tangents)
    assertSameStructure('linearize: primals and tangents', at.def, given.def)
    const args = given.leaves.flatMap((t, i) =>
      nonzero[i] ? [fitted('linearize', t, at.leaves[i]!.aval, at.paths[i]!)] : [],
    )
    const outs = fillZeros(
      linear.nonzeroOuts,
      evalJaxpr(linear.program, args),
      linear.outs.map((out) => out.aval),
    )
    return unflatten(
      flat.outDef,
      outs.map((t, i) => visible(t, linear.outs[i]!.aval)),
    )
  }
  return [unflatten(flat.outDef, linear.outs), apply]
}

/**
 * The transpose of a function that is linear in all its arguments.
 *
 * @param examples arguments, of which only types count
 * @returns the map from a cotangent of the result to a list of cotangents of the arguments
 * @throws MissingRuleError if the function is not linear
 * @example
 * ```ts
 * import { linearTranspose } from 'fluxion'
 * linearTranspose((x) => x.mul(3), 1)(2)[0].item() // => 6
 * ```
 */
export function linearTranspose<A extends readonly TreeLike[], R extends Tree>(
  f: (...args: LiftAll<A>) => R,
  ...examples: A
): (cotangent: R | Cotangent<R>) => LiftAll<A> {
  checkFunction('linearTranspose', f)
  const at = flattenArgs('linearTranspose', examples)
  const flat = new FlatFunction('linearTranspose', f as unknown as AnyFunction, at.def)
  const strongTypes = at.leaves.map((leaf) => tangentType(leaf.aval))
  const program = stage('linearTranspose', flat.call, strongTypes, at.paths)
  return (cotangent) => {
    const given = flattenArrays('linearTranspose: the cotangent', cotangent)
    assertSameStructure('linearTranspose: the result and its cotangent', flat.outDef, given.def)
    const cts = given.leaves.map((ct, i) =>
      fitted('linearTranspose', ct, program.jaxpr.outputs[i]!.aval, flat.outPaths[i]!),
    )
    const pulled = transposeProgram(
      program,
      strongTypes.map((a) => new Linear(a)),
      cts,
    )
    return unflatten(at.def, pulled.map(instantiate)) as LiftAll<A>
  }
}

// ------------------------------------------------------------------------------------------------------------------ gradients

export type Argnums = number | readonly number[]
export type Grads<A extends readonly unknown[], N extends Argnums> = N extends number
  ? A[N]
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: A[N[K] & keyof A] }
    : never
export interface GradOptions<N> {
  /** Which arguments to differentiate by: a number, or a list that gives a list of gradients. */
  argnums?: N
  /** The function returns `[value, aux]`, of which `aux` is handed through. */
  hasAux?: boolean
  /** Complex functions: there are no complex dtypes, so only false is accepted. */
  holomorphic?: false
  /** Accept integer arguments, whose gradients are false. */
  allowInt?: boolean
}
export type NoAux = { hasAux?: false }
export type WithAux = { hasAux: true }

const gradOptions = ['argnums', 'hasAux', 'holomorphic', 'allowInt']

function valueAndGradOf(
  what: string,
  f: AnyFunction,
  options: GradOptions<Argnums>,
): (...args: unknown[]) => { value: NDArray; aux: unknown; grads: unknown } {
  checkFunction(what, f)
  checkOptions(what, options, gradOptions)
  if ((options.holomorphic as unknown) === true)
    throw new OptionError(misuse(what, 'holomorphic: false, as there are no complex dtypes', 'true'))
  const { argnums = 0, hasAux = false, allowInt = false } = options
  const chosen = (typeof argnums === 'number' ? [argnums] : argnums) as readonly number[]
  return (...args) => {
    const at = chosen.map((n) => {
      const index = n < 0 ? n + args.length : n
      if (!Number.isInteger(n) || index < 0 || index >= args.length)
        throw new OptionError(misuse(what, `argnums below the number of arguments, ${args.length}`, String(n)))
      return index
    })
    const partial = (...given: unknown[]): unknown =>
      f(...(args.map((arg, i) => (at.includes(i) ? given[at.indexOf(i)] : liftArgument(what, arg))) as never[]))
    const primals = at.map((i) => args[i])
    const types = primals.map((primal, k) => flattenArrays(what, primal, 'float', `argument ${at[k]}`))
    for (const { leaves, paths } of types) {
      leaves.forEach((leaf, i) => {
        if (!allowInt && !isDifferentiable(leaf.aval)) {
          throw new DtypeError(
            misuse(
              what,
              `floating arguments to differentiate by`,
              `${showAval(leaf.aval)} for ${paths[i]}`,
              'convert it with astype, choose others by argnums, or allow it with allowInt',
            ),
          )
        }
      })
    }
    const linear = linearizeAt(what, partial as AnyFunction, primals)
    const [def, auxDef] = hasAux ? splitPair(what, linear.flat) : [linear.outDef, undefined]
    const [value, ...aux] = linear.linear.outs
    checkScalar(what, def, value, hasAux)
    const cts = [full([], 1, value!.dtype), ...aux.map((x) => new Zero(x.aval))]
    const grads = unflatten(linear.at.def, pullback(linear, cts)) as unknown[]
    return {
      value: value!,
      aux: auxDef === undefined ? undefined : unflatten(auxDef, aux),
      grads: typeof argnums === 'number' ? grads[0] : grads,
    }
  }
}
/** Numbers become arrays in arguments that are not differentiated, too; what holds no arrays is passed on as it is. */
export function liftArgument(what: string, arg: unknown): unknown {
  if (typeof arg === 'number') return scalar(arg, 'float32', true)
  if (typeof arg !== 'object' || arg === null) return arg
  const { leaves, def } = flattenArrays(what, arg)
  return unflatten(def, leaves)
}
function checkScalar(what: string, def: TreeDef, value: NDArray | undefined, hasAux: boolean): void {
  const hint = hasAux
    ? 'the first of the two results is the value'
    : 'use jacrev for arrays, sum the result, or return [value, aux] with hasAux: true'
  if (def.kind !== 'leaf')
    throw new TreeError(misuse(what, 'a function that returns a scalar', `a tree ${String(def)}`, hint))
  if (value!.ndim !== 0)
    throw new ShapeError(misuse(what, 'a function that returns a scalar', showAval(value!.aval), hint))
  if (!isFloat(value!.dtype))
    throw new DtypeError(
      misuse(what, 'a function that returns a float', showAval(value!.aval), "convert the result: y.astype('float32')"),
    )
}

/**
 * The gradient of a scalar function as a function of the same arguments.
 *
 * @param f a function of trees of arrays that returns a scalar float
 * @returns a function that gives a tree like the argument (or a list of trees for a list of `argnums`); with `hasAux`, `[gradient, aux]`
 * @throws ShapeError, DtypeError, TreeError if the result is no floating scalar, or an argument no float
 * @example
 * ```ts
 * import { grad, np } from 'fluxion'
 * grad((x) => np.sin(x))(0).item() // => 1
 * grad((p) => p.w.mul(p.b))({ w: 2, b: 3 }).w.item() // => 3
 * ```
 */
// The overload with `hasAux` comes first, or its literal `[loss, aux]` has been typed as a plain array by the other.
export function grad<A extends readonly unknown[] = NDArray[], Aux extends Tree = Tree, const N extends Argnums = 0>(
  f: (...args: A) => readonly [ArrayLike, Aux],
  options: GradOptions<N> & WithAux,
): Fn<A, [Grads<A, N>, Aux]>
export function grad<A extends readonly unknown[] = NDArray[], const N extends Argnums = 0>(
  f: (...args: A) => ArrayLike,
  options?: GradOptions<N> & NoAux,
): Fn<A, Grads<A, N>>
export function grad(f: AnyFunction, options: GradOptions<Argnums> = {}): AnyFunction {
  const run = valueAndGradOf('grad', f, options)
  return ((...args: unknown[]) => {
    const { grads, aux } = run(...args)
    return options.hasAux === true ? [grads, aux] : grads
  }) as AnyFunction
}

/**
 * The value of a scalar function together with its gradient, for the cost of one.
 *
 * @returns a function that gives `[value, gradient]`; with `hasAux`, `[[value, aux], gradient]`
 * @see grad
 * @example
 * ```ts
 * import { valueAndGrad } from 'fluxion'
 * const [value, gradient] = valueAndGrad((x) => x.mul(x))(3)
 * value.item() // => 9
 * gradient.item() // => 6
 * ```
 */
export function valueAndGrad<
  A extends readonly unknown[] = NDArray[],
  Aux extends Tree = Tree,
  const N extends Argnums = 0,
>(f: (...args: A) => readonly [ArrayLike, Aux], options: GradOptions<N> & WithAux): Fn<A, [[NDArray, Aux], Grads<A, N>]>
export function valueAndGrad<A extends readonly unknown[] = NDArray[], const N extends Argnums = 0>(
  f: (...args: A) => ArrayLike,
  options?: GradOptions<N> & NoAux,
): Fn<A, [NDArray, Grads<A, N>]>
export function valueAndGrad(f: AnyFunction, options: GradOptions<Argnums> = {}): AnyFunction {
  const run = valueAndGradOf('valueAndGrad', f, options)
  return ((...args: unknown[]) => {
    const { value, aux, grads } = run(...args)
    return options.hasAux === true ? [[value, aux], grads] : [value, grads]
  }) as AnyFunction
}

/**
 * The identity with a derivative of zero, on every leaf of a tree.
 *
 * @example
 * ```ts
 * import { grad, stopGradient } from 'fluxion'
 * grad((x) => x.mul(stopGradient(x)))(3).item() // => 3
 * ```
 */
export function stopGradient<T>(tree: T): T {
  const { leaves, def } = flattenArrays('stopGradient', tree)
  return unflatten(def, leaves.map(stop)) as T
}
