/** Calls back into JavaScript from inside programs: for printing, progress, and host computations. */
import { ConcreteArray, type NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { MissingRuleError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { checkFunction, flattenArgs, flattenArrays, refusePromise } from '../flat.ts'
import { type Aval, aval, sameAval, showAval } from '../ir/aval.ts'
import { noAxes } from '../primitive/axes.ts'
import { type Primitive, Zero, definePrimitive } from '../primitive/define.ts'
import { convert } from '../primitive/elementwise.ts'
import { zeroJvp } from '../primitive/rules.ts'
import { type TreeDef, assertSameStructure, flattenAny, unflatten } from '../tree.ts'
import { bind, concreteOf, fromHost, outOfTrace } from '../trace.ts'
import { moveBatchAxis } from '../transform/vmap.ts'
import type { ShapeDtype, TreeLike } from '../types.ts'
import { map } from './loops.ts'

type HostFunction = (args: readonly HostArray[]) => readonly HostArray[]
export interface CallbackParams {
  readonly callback: HostFunction
  readonly resultAvals: readonly Aval[]
  readonly name: string
}

/** Rows of the three kinds; those with effects are kept even if their results are not used, and run in order. */
const callbackRow = (name: string, effectful: boolean): Primitive<CallbackParams> => {
  const row: Primitive<CallbackParams> = definePrimitive<CallbackParams>({
    name,
    type: (_, { resultAvals }) => resultAvals,
    jvp: name === 'debug_callback' ? zeroJvp((args, params) => bind(row, args, params)) : refuseJvp(name),
    // One call for each element, in order: the function was written for one.
    batch(args, dims, params, { size }) {
      const at = dims.map((dim, i) => (dim === null ? undefined : moveBatchAxis(args[i]!, dim, 0, size)))
      const batched = at.filter((x) => x !== undefined)
      const outs = map((xs: NDArray[]) => {
        let next = 0
        return bind(
          row,
          args.map((arg, i) => (at[i] === undefined ? arg : xs[next++]!)),
          params,
        ) as NDArray[]
      }, batched)
      return [outs, outs.map(() => 0)]
    },
    // a function of the host's was written for the whole
    axes: noAxes,
    reference: (args, { callback }) => callback(args),
    ...(effectful ? { effectful: true as const } : {}),
    show: ({ name: shown }) => ({ callback: shown }),
  })
  return row
}
const refuseJvp =
  (name: string): NonNullable<Primitive<CallbackParams>['jvp']> =>
  (primals, tangents, params) => {
    if (tangents.some((t) => !(t instanceof Zero))) {
      throw new MissingRuleError(
        `${name}: '${params.name}' runs on the host and cannot be differentiated\nhint: give the function that calls it a rule with customJvp or customVjp, or stop the gradient`,
      )
    }
    return zeroJvp<CallbackParams>(() => [])(primals, tangents, params)
  }
const debugCallbackPrimitive = callbackRow('debug_callback', true)
const pureCallbackPrimitive = callbackRow('pure_callback', false)
const ioCallbackPrimitive = callbackRow('io_callback', true)

type Leaves<A extends readonly unknown[]> = { [K in keyof A]: A[K] extends number | boolean ? NDArray : A[K] }

/** Call `f` with concrete arrays in the structure of the operands. */
const onArrays =
  (where: string, f: (...args: never[]) => unknown, def: TreeDef) =>
  (args: readonly HostArray[]): unknown => {
    const out = f(
      ...(unflatten(
        def,
        args.map((arg) => fromHost(arg)),
      ) as never[]),
    )
    refusePromise(where, out)
    return out
  }
/** What a callback returned, checked against what it promised to return. */
function checkedResults(where: string, out: unknown, types: readonly Aval[], def: TreeDef): HostArray[] {
  const given = flattenArrays(where, out)
  assertSameStructure(`${where}: promised and returned results`, def, given.def)
  return given.leaves.map((leaf, i) => {
    const type = types[i]!
    const converted = leaf.weakType && leaf.dtype !== type.dtype ? convert(leaf, type.dtype) : leaf
    if (!sameAval(converted.aval, type))
      throw new ShapeError(misuse(where, `a result of type ${showAval(type)}`, showAval(leaf.aval)))
    return concreteOf(converted).host
  })
}
function returning(
  primitive: Primitive<CallbackParams>,
  where: string,
  f: (...args: never[]) => unknown,
  shapes: unknown,
  operands: readonly unknown[],
): unknown {
  checkFunction(where, f)
  const isType = (x: unknown): boolean => typeof x === 'object' && x !== null && 'shape' in x && 'dtype' in x
  const [leaves, resultDef] = flattenAny(shapes, isType)
  const resultAvals = leaves.map((leaf) => aval((leaf as ShapeDtype).shape, (leaf as ShapeDtype).dtype))
  const { leaves: args, def } = flattenArgs(where, operands, 'integral')
  const run = onArrays(where, f, def)
  const callback: HostFunction = (given) => outOfTrace(() => checkedResults(where, run(given), resultAvals, resultDef))
  return unflatten(
    resultDef,
    bind(primitive, args, { callback, resultAvals, name: f.name === '' ? 'callback' : f.name }),
  )
}

/**
 * Call a pure function of concrete arrays from inside a traced one. It may be called any number of times, or not at all if its results
 * are not used.
 *
 * @param f from arrays to arrays; it runs on the host, at once
 * @param result types of what it returns: `{ shape, dtype }`, or a tree of such
 * @throws ShapeError or TreeError if `f` returns something else
 * @example
 * ```ts
 * import { jit, pureCallback } from 'fluxion'
 * const host = (x) => Math.hypot(x.item(), 4)
 * jit((x) => pureCallback(host, { shape: [], dtype: 'float32' }, x))(3).item() // => 5
 * ```
 */
export function pureCallback<A extends readonly TreeLike[], R>(
  f: (...args: Leaves<A>) => unknown,
  result: R,
  ...operands: A
): MapTypes<R> {
  return returning(
    pureCallbackPrimitive,
    'pureCallback',
    f as (...args: never[]) => unknown,
    result,
    operands,
  ) as MapTypes<R>
}
/**
 * Call a function with effects from inside a traced one: exactly once for each time that the program gets there, in order.
 *
 * @see pureCallback for the arguments
 */
export function ioCallback<A extends readonly TreeLike[], R>(
  f: (...args: Leaves<A>) => unknown,
  result: R,
  ...operands: A
): MapTypes<R> {
  return returning(
    ioCallbackPrimitive,
    'ioCallback',
    f as (...args: never[]) => unknown,
    result,
    operands,
  ) as MapTypes<R>
}
/** A tree of types as the tree of arrays that it promises. */
export type MapTypes<R> = R extends { readonly shape: readonly number[]; readonly dtype: string }
  ? NDArray
  : R extends object
    ? { [K in keyof R]: MapTypes<R[K]> }
    : R

/**
 * Call a function for its effect, with the values that its operands have when the program runs; differentiation passes it by.
 *
 * @example
 * ```ts
 * import { debug, jit } from 'fluxion'
 * const seen = []
 * jit((x) => { debug.callback((v) => seen.push(v.item()), x); return x })(2).item() // => 2
 * seen // => [2]
 * ```
 */
export function debugCallback<A extends readonly TreeLike[]>(f: (...args: Leaves<A>) => void, ...operands: A): void {
  checkFunction('debug.callback', f)
  const { leaves, def } = flattenArgs('debug.callback', operands, 'integral')
  const run = onArrays('debug.callback', f as (...args: never[]) => unknown, def)
  const callback: HostFunction = (given) => {
    outOfTrace(() => run(given))
    return []
  }
  bind(debugCallbackPrimitive, leaves, { callback, resultAvals: [], name: f.name === '' ? 'callback' : f.name })
}

/**
 * Print values when the program runs: `{}` in the format stands for each in turn.
 *
 * @param options `ordered` is accepted for likeness with JAX: prints always come in order
 * @example
 * ```ts no-run
 * import { debug, jit } from 'fluxion'
 * jit((x) => { debug.print('x = {}', [x]); return x.mul(2) })(3)
 * ```
 */
export function debugPrint(
  format: string,
  values: readonly TreeLike[] = [],
  options: { ordered?: boolean } = {},
): void {
  checkOptions('debug.print', options, ['ordered'])
  debugCallback(
    (...given: unknown[]) => {
      let next = 0
      console.log(
        format.replace(/\{\}|\{(\d+)\}/g, (_, at: string | undefined) =>
          show(given[at === undefined ? next++ : Number(at)]),
        ),
      )
    },
    ...values,
  )
}
/** Scalars print as numbers, other arrays as nested lists, trees as JSON. */
const show = (x: unknown): string =>
  x instanceof ConcreteArray && x.ndim === 0 ? String(x.item()) : (JSON.stringify(x) ?? String(x))
