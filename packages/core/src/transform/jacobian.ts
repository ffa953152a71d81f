/** Jacobians and what is built of them. */
import type { ArrayLike, NDArray } from '../array.ts'
import { DtypeError, OptionError, checkOptions, misuse } from '../errors.ts'
import { type FlatTree, FlatFunction, checkFunction, flattenArgs } from '../flat.ts'
import { showAval } from '../ir/aval.ts'
import { inAvals } from '../ir/jaxpr.ts'
import { Linear, type Tangent, Zero } from '../primitive/define.ts'
import { add, convert, eq } from '../primitive/elementwise.ts'
import { iota, reshape, slice } from '../primitive/movement.ts'
import { instantiate } from '../primitive/zeros.ts'
import { sizeOf } from '../shape.ts'
import { scalar } from '../trace.ts'
import { type TreeDef, unflatten } from '../tree.ts'
import type { Fn, LiftAll, Tree, TreeLike } from '../types.ts'
import { type Argnums, type Grads, type NoAux, type WithAux, grad, jvp, liftArgument, splitPair } from './autodiff.ts'
import { isDifferentiable, jvpFlat } from './jvp.ts'
import { linearizeFlat } from './linearize.ts'
import { transposeProgram } from './transpose.ts'
import { moveBatchAxis, vmapFlat } from './vmap.ts'

type AnyFunction = (...args: never[]) => unknown
/** The result's tree, with the argument's tree in place of every leaf. */
export type Jacobian<R, T> = R extends ArrayLike ? T : R extends object ? { [K in keyof R]: Jacobian<R[K], T> } : R
export interface JacobianOptions<N extends Argnums = Argnums> {
  /** Which arguments to differentiate by: a number, or a list that gives lists in place of the argument's tree. */
  argnums?: N
  /** The function returns `[value, aux]`, of which `aux` is handed through: the result is `[jacobian, aux]`. */
  hasAux?: boolean
}

interface Prepared {
  readonly at: FlatTree
  readonly flat: FlatFunction
  /** Whether one argument was chosen by its number, not by a list. */
  readonly single: boolean
  /** The structures of the value and of what comes beside it, once the function has run. */
  readonly outDefs: () => readonly [TreeDef, TreeDef | undefined]
}
function prepare(what: string, f: AnyFunction, options: JacobianOptions, args: readonly unknown[]): Prepared {
  const { argnums = 0, hasAux = false } = options
  const list = (typeof argnums === 'number' ? [argnums] : argnums) as readonly number[]
  const chosen = list.map((n) => {
    const at = n < 0 ? n + args.length : n
    if (!Number.isInteger(n) || at < 0 || at >= args.length)
      throw new OptionError(misuse(what, `argnums below the number of arguments, ${args.length}`, String(n)))
    return at
  })
  const at = flattenArgs(
    what,
    chosen.map((i) => args[i]),
  )
  at.leaves.forEach((leaf, i) => {
    if (!isDifferentiable(leaf.aval))
      throw new DtypeError(
        misuse(what, 'floating arguments to differentiate by', `${showAval(leaf.aval)} for ${at.paths[i]}`),
      )
  })
  const partial = (...given: unknown[]): unknown =>
    f(...(args.map((arg, i) => (chosen.includes(i) ? given[chosen.indexOf(i)] : liftArgument(what, arg))) as never[]))
  const flat = new FlatFunction(what, partial as AnyFunction, at.def)
  const outDefs = (): readonly [TreeDef, TreeDef | undefined] =>
    hasAux ? splitPair(what, flat) : [flat.outDef, undefined]
  return { at, flat, single: typeof argnums === 'number', outDefs }
}
/** The basis of a list of arrays: for each array all its unit vectors, as rows. */
function basis(x: NDArray, before: number, total: number): NDArray {
  const size = sizeOf(x.shape)
  const rows = iota('int32', [total, size], 0)
  const columns = iota('int32', [total, size], 1)
  const shifted = before === 0 ? columns : add(columns, scalar(before, 'int32'))
  return reshape(convert(eq(rows, shifted), x.dtype), [total, ...x.shape])
}
/** Arrange blocks `[result leaf][argument leaf]` as trees in trees, beside what else the function returned. */
function arrange(
  blocks: readonly (readonly NDArray[])[],
  aux: readonly NDArray[],
  { at, single, outDefs }: Prepared,
): unknown {
  const rows = blocks.map((row) => {
    const list = unflatten(at.def, row) as unknown[]
    return single ? list[0] : list
  })
  const [def, auxDef] = outDefs()
  const jacobian = unflatten(def, rows)
  return auxDef === undefined ? jacobian : [jacobian, unflatten(auxDef, aux)]
}

/**
 * The Jacobian of a function, column by column in forward mode: best where there are fewer inputs than outputs.
 *
 * @returns a function that gives, for each leaf of the result, a tree like the argument, of arrays of shape result + argument
 * @example
 * ```ts
 * import { jacfwd, np } from 'fluxion'
 * jacfwd((x) => x.mul(x))(np.array([1, 2])) // => [[2, 0], [0, 4]]
 * ```
 */
export function jacfwd<
  A extends readonly unknown[] = NDArray[],
  R extends Tree = Tree,
  Aux extends Tree = Tree,
  const N extends Argnums = 0,
>(f: (...args: A) => readonly [R, Aux], options: JacobianOptions<N> & WithAux): Fn<A, [Jacobian<R, Grads<A, N>>, Aux]>
export function jacfwd<A extends readonly unknown[] = NDArray[], R extends Tree = Tree, const N extends Argnums = 0>(
  f: (...args: A) => R,
  options?: JacobianOptions<N> & NoAux,
): Fn<A, Jacobian<R, Grads<A, N>>>
export function jacfwd(f: AnyFunction, options: JacobianOptions = {}): AnyFunction {
  checkFunction('jacfwd', f)
  checkOptions('jacfwd', options, ['argnums', 'hasAux'])
  return ((...args: unknown[]) => {
    const prepared = prepare('jacfwd', f, options, args)
    const { leaves } = prepared.at
    const total = leaves.reduce((sum, x) => sum + x.size, 0)
    let before = 0
    const directions = leaves.map((x) => basis(x, (before += x.size) - x.size, total))
    const push = (tangents: NDArray[]): NDArray[] => {
      const [outs, along] = jvpFlat('jacfwd', prepared.flat.call, leaves, tangents)
      const count = prepared.outDefs()[0].leaves
      return [...along.slice(0, count).map((t) => instantiate(strongZero(t))), ...outs.slice(count)]
    }
    const [pushed, dims] = vmapFlat(
      push,
      directions,
      directions.map(() => 0),
      { size: total, name: undefined },
    )
    const count = prepared.outDefs()[0].leaves
    const blocks = pushed.slice(0, count).map((column, o) => {
      const last = moveBatchAxis(column, dims[o]!, column.ndim - (dims[o] === null ? 0 : 1), total)
      return splitLast(last, leaves)
    })
    return arrange(blocks, pushed.slice(count), prepared)
  }) as AnyFunction
}
const strongZero = (t: Tangent): Tangent => (t instanceof Zero ? new Zero({ ...t.aval, weakType: false }) : t)
/** Cut the last axis in pieces of the sizes of `leaves`, each in its leaf's shape. */
function splitLast(x: NDArray, leaves: readonly NDArray[]): NDArray[] {
  const outer = x.shape.slice(0, -1)
  let at = 0
  return leaves.map((leaf) => {
    const part = slice(x, [...outer.map(() => 0), at], [...outer, (at += leaf.size)])
    return reshape(part, [...outer, ...leaf.shape])
  })
}

/**
 * The Jacobian of a function, row by row in reverse mode: best where there are fewer outputs than inputs.
 *
 * @see jacfwd for the result
 * @example
 * ```ts
 * import { jacrev, np } from 'fluxion'
 * jacrev((x) => x.mul(x))(np.array([1, 2])) // => [[2, 0], [0, 4]]
 * ```
 */
export function jacrev<
  A extends readonly unknown[] = NDArray[],
  R extends Tree = Tree,
  Aux extends Tree = Tree,
  const N extends Argnums = 0,
>(f: (...args: A) => readonly [R, Aux], options: JacobianOptions<N> & WithAux): Fn<A, [Jacobian<R, Grads<A, N>>, Aux]>
export function jacrev<A extends readonly unknown[] = NDArray[], R extends Tree = Tree, const N extends Argnums = 0>(
  f: (...args: A) => R,
  options?: JacobianOptions<N> & NoAux,
): Fn<A, Jacobian<R, Grads<A, N>>>
export function jacrev(f: AnyFunction, options: JacobianOptions = {}): AnyFunction {
  checkFunction('jacrev', f)
  checkOptions('jacrev', options, ['argnums', 'hasAux'])
  return ((...args: unknown[]) => {
    const prepared = prepare('jacrev', f, options, args)
    const { leaves } = prepared.at
    const linear = linearizeFlat(
      'jacrev',
      prepared.flat.call,
      leaves,
      leaves.map(() => true),
    )
    const count = prepared.outDefs()[0].leaves
    const values = linear.outs.slice(0, count)
    for (const y of values) {
      if (!isDifferentiable(y.aval))
        throw new DtypeError(
          misuse(
            'jacrev',
            'a function that returns floats',
            showAval(y.aval),
            "convert the result: y.astype('float32')",
          ),
        )
    }
    const inputs = inAvals(linear.program).map((a) => new Linear(a))
    const floats = values.filter((_, i) => linear.nonzeroOuts[i])
    const noAux = linear.outs.flatMap((y, i) => (i >= count && linear.nonzeroOuts[i] ? [new Zero(y.aval)] : []))
    const total = floats.reduce((sum, y) => sum + y.size, 0)
    let before = 0
    const directions = floats.map((y) => basis(y, (before += y.size) - y.size, total))
    const pull = (cts: NDArray[]): NDArray[] =>
      transposeProgram(linear.program, inputs, [...cts, ...noAux]).map(instantiate)
    const [rows, dims] =
      total === 0
        ? [[], []]
        : vmapFlat(
            pull,
            directions,
            directions.map(() => 0),
            { size: total, name: undefined },
          )
    const fronted = rows.map((row, i) => moveBatchAxis(row, dims[i]!, 0, total))
    let at = 0
    const blocks = values.map((y, o) => {
      if (!linear.nonzeroOuts[o])
        return leaves.map((x) =>
          instantiate(new Zero({ shape: [...y.shape, ...x.shape], dtype: x.dtype, weakType: false })),
        )
      const start = at
      at += y.size
      return fronted.map((row, i) =>
        reshape(slice(row, [start, ...leaves[i]!.shape.map(() => 0)], [at, ...leaves[i]!.shape]), [
          ...y.shape,
          ...leaves[i]!.shape,
        ]),
      )
    })
    return arrange(blocks, linear.outs.slice(count), prepared)
  }) as AnyFunction
}

/**
 * The Hessian of a scalar function: forward mode over reverse mode.
 *
 * @example
 * ```ts
 * import { hessian, np } from 'fluxion'
 * hessian((x) => x.mul(x).mul(x).sum())(np.array([1, 2])) // => [[6, 0], [0, 12]]
 * ```
 */
export function hessian<A extends readonly unknown[] = NDArray[], Aux extends Tree = Tree, const N extends Argnums = 0>(
  f: (...args: A) => readonly [ArrayLike, Aux],
  options: JacobianOptions<N> & WithAux,
): Fn<A, [Jacobian<Grads<A, N>, Grads<A, N>>, Aux]>
export function hessian<A extends readonly unknown[] = NDArray[], const N extends Argnums = 0>(
  f: (...args: A) => ArrayLike,
  options?: JacobianOptions<N> & NoAux,
): Fn<A, Jacobian<Grads<A, N>, Grads<A, N>>>
export function hessian(f: AnyFunction, options: JacobianOptions = {}): AnyFunction {
  checkFunction('hessian', f)
  checkOptions('hessian', options, ['argnums', 'hasAux'])
  // The types of both Jacobians at once are too deep for the compiler to follow.
  type Loose = (f: AnyFunction, options: JacobianOptions) => AnyFunction
  return (jacfwd as Loose)((jacrev as Loose)(f, options), options)
}

/**
 * The product of a scalar function's Hessian at `primals` with a direction, without forming the Hessian.
 *
 * @example
 * ```ts
 * import { hvp, np } from 'fluxion'
 * hvp((x) => x.mul(x).mul(x).sum(), [np.array([1, 2])], [np.array([1, 0])]) // => [6, 0]
 * ```
 */
export function hvp<A extends readonly TreeLike[] | readonly []>(
  f: (...args: LiftAll<A>) => ArrayLike,
  primals: A,
  tangents: A,
): LiftAll<A>[0] {
  return jvp(
    grad(f as (...args: never[]) => ArrayLike) as never,
    primals as never,
    tangents as never,
  )[1] as LiftAll<A>[0]
}
