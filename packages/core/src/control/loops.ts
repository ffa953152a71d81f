/** Loops as users call them: trees in the carry, numbers made into arrays, types checked leaf by leaf. */
import type { ArrayLike, NDArray } from '../array.ts'
import { isFloat, promote } from '../dtype.ts'
import { CarryMismatchError, DtypeError, OptionError, ShapeError, TreeError, checkOptions, misuse } from '../errors.ts'
import { FlatFunction, type FlatTree, checkFunction, flattenArrays } from '../flat.ts'
import { type Aval, sameAval, sameFullAval, showAval, showFullAval } from '../ir/aval.ts'
import { type ClosedJaxpr, outAvals } from '../ir/jaxpr.ts'
import { add, convert, lt } from '../primitive/elementwise.ts'
import { concatenate, reshape, slice } from '../primitive/movement.ts'
import { scalarLike } from '../primitive/rules.ts'
import { type TreeDef, difference, flattenAny, unflatten } from '../tree.ts'
import { bind, scalar } from '../trace.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { closureConvert, stage } from '../transform/staging.ts'
import type { Lift, Tree, TreeLike } from '../types.ts'
import { jitDisabled } from './jitted.ts'
import { scanPrimitive } from './scan.ts'
import { whilePrimitive } from './while.ts'

/** What a carry that changes type looks like in the compiler's error. */
export interface CarryMismatch<In, Out> {
  readonly 'carry in': In
  readonly 'carry out': Out
}
export type Same<Out, In> = [TreeLike] extends [Out]
  ? unknown
  : [Lift<Out>] extends [Lift<In>]
    ? unknown
    : CarryMismatch<In, Out>
type AnyFunction = (...args: never[]) => unknown

export interface ScanOptions {
  /** The number of steps; needed where there is nothing to scan over. */
  length?: number
  /** Run from the last element to the first; results stand in the order of the elements. */
  reverse?: boolean
  /** How many steps to lay out at once (`true`: all); a hint that changes no result. */
  unroll?: number | boolean
}

/** Stage a body until the types of its carry settle: a weakly typed carry takes the type that the body gives it, once. */
function stageBody(
  where: string,
  carry: FlatTree,
  rest: readonly Aval[],
  body: (carry: readonly NDArray[], rest: readonly NDArray[]) => readonly NDArray[],
  carryOut: (outs: readonly Aval[]) => { types: readonly Aval[]; def: TreeDef },
): { program: ClosedJaxpr; init: NDArray[] } {
  let init = carry.leaves
  for (let attempt = 0; ; attempt++) {
    const types = init.map((leaf) => leaf.aval)
    const program = stage(where, (args) => body(args.slice(0, types.length), args.slice(types.length)), [
      ...types,
      ...rest,
    ])
    const out = carryOut(outAvals(program))
    checkCarryStructure(where, carry.def, out.def)
    if (types.every((type, i) => sameFullAval(type, out.types[i]!))) return { program, init }
    // A weak initial value takes the type that it becomes; a strong one stays.
    const settled = init.map((leaf, i) => {
      const [from, to] = [types[i]!, out.types[i]!]
      if (sameFullAval(from, to) || !from.weakType) return leaf
      const joined = promote([from, to])
      return joined.dtype === from.dtype && joined.weakType === from.weakType
        ? leaf
        : convert(leaf, joined.dtype, joined.weakType)
    })
    if (attempt === 2 || settled.every((leaf, i) => leaf === init[i])) {
      // A body that gives a weak value for a strong carry is made strong at its end.
      if (types.every((type, i) => sameAval(type, out.types[i]!)))
        return { program: strengthened(where, program, types), init }
      throw mismatch(where, carry.paths, types, out.types)
    }
    init = settled
  }
}
function strengthened(where: string, program: ClosedJaxpr, types: readonly Aval[]): ClosedJaxpr {
  const { jaxpr } = program
  return stage(
    where,
    (args) =>
      evalJaxpr(program, args).map((out, i) =>
        i < types.length && out.weakType !== types[i]!.weakType
          ? convert(out, types[i]!.dtype, types[i]!.weakType)
          : out,
      ),
    jaxpr.inputs.map((v) => v.aval),
  )
}
function checkCarryStructure(where: string, expected: TreeDef, got: TreeDef): void {
  const found = difference(expected, got)
  if (found !== undefined)
    throw new CarryMismatchError(
      `${where}: the carry that the body returns differs in structure from the one it was given: ${found}`,
    )
}
function mismatch(
  where: string,
  paths: readonly string[],
  types: readonly Aval[],
  outs: readonly Aval[],
): CarryMismatchError {
  const lines = types.flatMap((type, i) =>
    sameAval(type, outs[i]!)
      ? []
      : [
          `  ${paths[i] === '' ? 'the carry' : `the carry at ${paths[i]}`} goes in as ${showFullAval(type)} and comes out as ${showFullAval(outs[i]!)}`,
        ],
  )
  return new CarryMismatchError(
    `${where}: the body changes the type of its carry\n${lines.join('\n')}\nhint: convert inside the body (x.astype(dtype)), or start from a carry of the final type`,
  )
}

/**
 * Run `f` for each element along the leading axes of `xs`, with a carry.
 *
 * @param f from carry and element to `[carry, y]`
 * @param init the first carry; its numbers become weakly typed arrays
 * @param xs a tree of arrays of one leading size, or `null` with `length`
 * @returns `[the last carry, ys stacked]`
 * @throws CarryMismatchError if `f` changes the structure, a shape or a dtype of the carry
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * const [sum, sums] = lax.scan((c, x) => [c.add(x), c.add(x)], 0, np.array([1, 2, 3]))
 * sum.item() // => 6
 * sums // => [1, 3, 6]
 * ```
 */
// The carry that goes out has a parameter of its own (D), bounded by TreeLike, so that `return [[p, s], l]` is a tuple in a tuple; `Same`
// then compares it with what came in. With C in both places, literals in the result widen to arrays.
export function scan<C extends TreeLike, X extends Tree, D extends TreeLike, Y extends TreeLike>(
  f: (carry: Lift<C>, x: X) => readonly [D, Y],
  init: C & Same<D, C>,
  xs: X,
  options?: ScanOptions,
): [Lift<C>, Lift<Y>]
// The exact form, for carries of generic type and for classes with private fields, which Lift cannot see through.
export function scan<C, X, Y>(f: (carry: C, x: X) => readonly [C, Y], init: C, xs: X, options?: ScanOptions): [C, Y]
export function scan(f: AnyFunction, init: unknown, xs: unknown, options: ScanOptions = {}): [unknown, unknown] {
  checkFunction('scan', f)
  checkOptions('scan', options, ['length', 'reverse', 'unroll'])
  const { reverse = false } = options
  const carry = flattenArrays('scan: the initial carry', init, 'integral')
  const scanned = flattenArrays('scan: xs', xs, 'integral')
  const length = scanLength(scanned, options.length)
  const unroll = checkUnroll(options.unroll, length)
  if (jitDisabled()) return scanEagerly(f, carry, scanned, length, reverse)

  const [, argsDef] = flattenAny([init, xs])
  const flat = new FlatFunction('scan', f, argsDef, 'integral')
  let split: readonly [TreeDef, TreeDef] | undefined
  const { program, init: start } = stageBody(
    'scan',
    carry,
    scanned.leaves.map((x) => ({ ...x.aval, shape: x.shape.slice(1) })),
    (c, x) => flat.call([...c, ...x]),
    (outs) => {
      split = pairOf('scan', flat.outDef)
      return { types: outs.slice(0, split[0].leaves), def: split[0] }
    },
  )
  const [jaxpr, consts] = closureConvert(program)
  const outs = bind(scanPrimitive, [...consts, ...start, ...scanned.leaves], {
    jaxpr,
    length,
    reverse,
    numConsts: consts.length,
    numCarry: start.length,
    unroll,
  })
  return [unflatten(carry.def, outs.slice(0, start.length)), unflatten(split![1], outs.slice(start.length))]
}
function pairOf(where: string, def: TreeDef): readonly [TreeDef, TreeDef] {
  if (def.kind !== 'list' || def.children.length !== 2)
    throw new TreeError(misuse(where, 'a body that returns [carry, y]', String(def)))
  return [def.children[0]!, def.children[1]!]
}
function scanLength({ leaves, paths }: FlatTree, given: number | undefined): number {
  if (given !== undefined && (!Number.isInteger(given) || given < 0))
    throw new OptionError(misuse('scan', 'a length of at least 0', String(given)))
  leaves.forEach((leaf, i) => {
    if (leaf.ndim === 0)
      throw new ShapeError(
        misuse('scan', `arrays with a leading axis to scan over`, `${showAval(leaf.aval)} at xs${paths[i]}`),
      )
    const expected = given ?? leaves[0]!.shape[0]
    if (leaf.shape[0] !== expected) {
      throw new ShapeError(
        misuse(
          'scan',
          `leading axes of ${given === undefined ? 'one size' : `length ${given}`}`,
          leaves.map((x, k) => `${showAval(x.aval)} at xs${paths[k]}`).join(', '),
        ),
      )
    }
  })
  const length = given ?? leaves[0]?.shape[0]
  if (length === undefined)
    throw new OptionError(
      misuse('scan', 'arrays to scan over, or a length', 'neither', 'lax.scan(f, init, null, { length: n })'),
    )
  return length
}
function checkUnroll(unroll: number | boolean | undefined, length: number): number {
  if (unroll === undefined || unroll === false) return 1
  if (unroll === true) return Math.max(1, length)
  if (!Number.isInteger(unroll) || unroll < 1)
    throw new OptionError(misuse('scan', 'unroll: true or a whole number of at least 1', String(unroll)))
  return unroll
}
function scanEagerly(
  f: AnyFunction,
  carry: FlatTree,
  scanned: FlatTree,
  length: number,
  reverse: boolean,
): [unknown, unknown] {
  let state = unflatten(carry.def, carry.leaves)
  const ys: unknown[] = new Array(length)
  for (let step = 0; step < length; step++) {
    const at = reverse ? length - 1 - step : step
    const x = unflatten(
      scanned.def,
      scanned.leaves.map((leaf) =>
        reshape(
          slice(leaf, [at, ...leaf.shape.slice(1).map(() => 0)], [at + 1, ...leaf.shape.slice(1)]),
          leaf.shape.slice(1),
        ),
      ),
    )
    const pair = f(state as never, x as never) as [unknown, unknown]
    ;[state, ys[at]] = pair
  }
  const flat = ys.map((y) => flattenArrays('scan', y, 'integral'))
  const stacked = (flat[0]?.leaves ?? []).map((_, k) =>
    concatenate(
      flat.map(({ leaves }) => reshape(leaves[k]!, [1, ...leaves[k]!.shape])),
      0,
    ),
  )
  return [state, flat[0] === undefined ? null : unflatten(flat[0].def, stacked)]
}

/**
 * Run `body` as long as `cond` of the carry holds. Differentiable forwards only.
 *
 * @param cond from the carry to a boolean scalar
 * @returns the last carry
 * @throws CarryMismatchError if `body` changes the type of the carry; DtypeError or ShapeError if `cond` gives no boolean scalar
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.whileLoop((i) => i.lt(10), (i) => i.mul(2), 1).item() // => 16
 * ```
 */
export function whileLoop<C extends TreeLike, D extends TreeLike>(
  cond: (carry: Lift<C>) => ArrayLike,
  body: (carry: Lift<C>) => D,
  init: C & Same<D, C>,
): Lift<C>
export function whileLoop<C>(cond: (carry: C) => ArrayLike, body: (carry: C) => C, init: C): C
export function whileLoop(cond: AnyFunction, body: AnyFunction, init: unknown): unknown {
  checkFunction('whileLoop', cond)
  checkFunction('whileLoop', body)
  const carry = flattenArrays('whileLoop: the initial carry', init, 'integral')
  if (jitDisabled()) {
    const holds = (state: unknown): NDArray => flattenArrays('whileLoop', cond(state as never)).leaves[0]!
    let state = unflatten(carry.def, carry.leaves)
    let going = holds(state)
    // Under vmap the condition may have no single value: then the loop is staged all the same.
    if (going.hasValue) {
      for (; going.item() !== 0; going = holds(state)) state = body(state as never)
      return state
    }
  }
  const [, def] = flattenAny([init])
  const flatBody = new FlatFunction('whileLoop', body, def, 'integral')
  const { program, init: start } = stageBody(
    'whileLoop',
    carry,
    [],
    (c) => flatBody.call(c),
    (outs) => ({ types: outs, def: flatBody.outDef }),
  )
  const flatCond = new FlatFunction('whileLoop: the condition', cond, def)
  const condition = stage(
    'whileLoop',
    flatCond.call,
    start.map((leaf) => leaf.aval),
  )
  const [type] = outAvals(condition)
  if (flatCond.outDef.kind !== 'leaf' || type!.shape.length > 0 || type!.dtype !== 'bool') {
    const got = flatCond.outDef.kind === 'leaf' ? showAval(type!) : String(flatCond.outDef)
    throw new DtypeError(
      misuse(
        'whileLoop',
        'a condition that gives a boolean scalar',
        got,
        'compare with x.lt(y); combine with np.logicalAnd',
      ),
    )
  }
  const [bodyJaxpr, bodyConsts] = closureConvert(program)
  const [condJaxpr, condConsts] = closureConvert(condition)
  const outs = bind(whilePrimitive, [...condConsts, ...bodyConsts, ...start], {
    condJaxpr,
    bodyJaxpr,
    condNconsts: condConsts.length,
    bodyNconsts: bodyConsts.length,
  })
  return unflatten(carry.def, outs)
}

/**
 * Run `body` for each integer from `lower` up to, not including, `upper`. With known bounds it is a scan, and so differentiable
 * in both modes; with traced bounds it is a `whileLoop`.
 *
 * @param body from the index (int32, weakly typed if `lower` is or both bounds are known) and the carry to the carry
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.foriLoop(0, 5, (i, sum) => sum.add(i), 0).item() // => 10
 * ```
 */
export function foriLoop<C extends TreeLike, D extends TreeLike>(
  lower: ArrayLike,
  upper: ArrayLike,
  body: (i: NDArray, carry: Lift<C>) => D,
  init: C & Same<D, C>,
): Lift<C>
export function foriLoop<C>(lower: ArrayLike, upper: ArrayLike, body: (i: NDArray, carry: C) => C, init: C): C
export function foriLoop(lower: ArrayLike, upper: ArrayLike, body: AnyFunction, init: unknown): unknown {
  checkFunction('foriLoop', body)
  const [i0, end] = [lower, upper].map((bound) => {
    if (typeof bound === 'number' && !Number.isInteger(bound))
      throw new OptionError(misuse('foriLoop', 'whole numbers as bounds', String(bound)))
    const [leaf] = flattenArrays('foriLoop: a bound', bound, 'integral').leaves
    if (leaf!.ndim !== 0 || isFloat(leaf!.dtype) || leaf!.dtype === 'bool')
      throw new DtypeError(misuse('foriLoop', 'integer scalars as bounds', showAval(leaf!.aval)))
    return leaf!
  }) as [NDArray, NDArray]
  if (i0.hasValue && end.hasValue) {
    // The index is weak, so that it takes the type of a carry of small integers.
    const first = scalar(i0.item(), 'int32', true)
    const step = ([i, carry]: readonly [NDArray, unknown]): readonly [readonly [NDArray, unknown], null] => [
      [add(i, scalarLike(i, 1)), body(i as never, carry as never)],
      null,
    ]
    const [[, last]] = scan(step as never, [first, init] as never, null, {
      length: Math.max(0, end.item() - i0.item()),
    }) as unknown as [[NDArray, unknown], unknown]
    return last
  }
  const { dtype } = promote([i0.aval, end.aval])
  const start = [convert(i0, dtype, i0.weakType), convert(end, dtype), init]
  const cond = ([i, n]: readonly [NDArray, NDArray]): NDArray => lt(i, n)
  const step = ([i, n, carry]: readonly [NDArray, NDArray, unknown]): unknown => [
    add(i, scalarLike(i, 1)),
    n,
    body(i as never, carry as never),
  ]
  return (whileLoop(cond as never, step as never, start as never) as unknown as unknown[])[2]
}

/**
 * Map `f` over the leading axes of `xs`, one element after the other: a scan without a carry. Where memory allows, `vmap` is faster.
 *
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.map((x) => x.mul(x), np.array([1, 2, 3])) // => [1, 4, 9]
 * ```
 */
export function map<X extends Tree, Y extends Tree>(f: (x: X) => Y, xs: X): Y {
  checkFunction('map', f)
  return scan((_: null, x: X): readonly [null, Y] => [null, f(x)], null, xs)[1] as Y
}
