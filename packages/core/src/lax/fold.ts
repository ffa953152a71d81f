/** Reductions with an operation of the caller's, over axes and over sliding windows. */
import type { NDArray } from '../array.ts'
import { type DType, highest, lowest } from '../dtype.ts'
import { scan } from '../control/loops.ts'
import { DtypeError, ShapeError, TreeError, checkOptions, misuse } from '../errors.ts'
import { FlatFunction, checkFunction, flattenArrays, isConcrete } from '../flat.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { dilated, windowCounts } from '../backend/reference/windows.ts'
import type { AnyPrimitive } from '../primitive/define.ts'
import * as elementwise from '../primitive/elementwise.ts'
import { broadcastInDim, full, pad, reshape, slice, transpose } from '../primitive/movement.ts'
import * as reduce from '../primitive/reduce.ts'
import * as windows from '../primitive/window.ts'
import { type Shape, normalAxes, range, sizeOf, without } from '../shape.ts'
import { type TreeDef, difference, flattenAny, unflatten } from '../tree.ts'
import { scalar } from '../trace.ts'
import { stage } from '../transform/staging.ts'
import { vmapFlat } from '../transform/vmap.ts'
import { type Padding, paddingOf } from './padding.ts'

type Combine = (a: readonly NDArray[], b: readonly NDArray[]) => readonly NDArray[]
/** Arrays and the scalars that their folds start from, with the operation that combines lists of elements of any one shape. */
interface Fold {
  readonly arrays: readonly NDArray[]
  readonly inits: readonly NDArray[]
  readonly def: TreeDef
  readonly combine: Combine
  /** The name of the primitive, if the operation is a single one, of both elements. */
  readonly single: string | undefined
}

function foldOf(
  where: string,
  operands: unknown,
  initValues: unknown,
  computation: (a: never, b: never) => unknown,
): Fold {
  checkFunction(where, computation)
  const { leaves: arrays, def } = flattenArrays(where, operands)
  const given = flattenArrays(`${where}: the initial values`, initValues)
  const found = difference(def, given.def)
  if (found !== undefined)
    throw new TreeError(`${where}: the initial values differ in structure from the operands: ${found}`)
  const inits = given.leaves.map((init, i) => {
    const { dtype, weakType } = arrays[i]!
    if (init.ndim > 0) throw new ShapeError(misuse(where, 'scalars as initial values', showAval(init.aval)))
    if (init.dtype !== dtype && !init.weakType)
      throw new DtypeError(misuse(where, `an initial value of dtype ${dtype}`, showAval(init.aval)))
    return elementwise.convert(init, dtype, weakType)
  })
  if (arrays.some((x) => x.shape.join() !== arrays[0]!.shape.join())) {
    throw new ShapeError(misuse(where, 'operands of one shape', arrays.map((x) => showAval(x.aval)).join(' and ')))
  }

  const [, pair] = flattenAny([operands, initValues])
  const flat = new FlatFunction(where, computation as (...args: never[]) => unknown, pair)
  const scalars: Aval[] = [...arrays, ...arrays].map((x) => aval([], x.dtype, x.weakType))
  const program = stage(where, flat.call, scalars)
  const differs = difference(def, flat.outDef)
  if (differs !== undefined)
    throw new TreeError(`${where}: the results of the computation differ in structure from the operands: ${differs}`)
  const types = program.jaxpr.outputs.map((out) => out.aval)
  if (types.some((type, i) => type.dtype !== arrays[i]!.dtype || type.shape.length > 0)) {
    throw new DtypeError(
      misuse(
        where,
        `a computation that gives ${scalars.slice(arrays.length).map(showAval).join(' and ')}`,
        types.map(showAval).join(' and '),
      ),
    )
  }

  const { equations, inputs, outputs } = program.jaxpr
  const [only] = equations
  const isSingle =
    equations.length === 1 &&
    arrays.length === 1 &&
    inputs.every((input) => only!.inputs.includes(input)) &&
    only!.outputs[0] === outputs[0]
  const combine: Combine = (a, b) => {
    const size = sizeOf(a[0]!.shape)
    const flatten = (x: NDArray): NDArray => reshape(x, [size])
    const [outs, dims] = vmapFlat(
      flat.call,
      [...a, ...b].map(flatten),
      [...a, ...b].map(() => 0),
      { size, name: undefined },
      [],
    )
    return outs.map((out, i) => {
      const { shape, aval: type } = a[i]!
      const whole = dims[i] === null ? broadcastInDim(out, [size], []) : out
      return elementwise.convert(reshape(whole, shape), type.dtype, type.weakType)
    })
  }
  return { arrays, inits, def, combine, single: isSingle ? (only!.primitive as AnyPrimitive).name : undefined }
}

interface Monoid {
  readonly reduce: (x: NDArray, axes: readonly number[]) => NDArray
  readonly combine: (x: NDArray, y: NDArray) => NDArray
  readonly window?: (x: NDArray, params: windows.WindowParams) => NDArray
  readonly identity?: (dtype: DType) => number
}
const monoids: Readonly<Record<string, Monoid>> = {
  add: { reduce: reduce.reduceSum, combine: elementwise.add, window: windows.reduceWindowSum, identity: () => 0 },
  mul: { reduce: reduce.reduceProd, combine: elementwise.mul },
  max: { reduce: reduce.reduceMax, combine: elementwise.max, window: windows.reduceWindowMax, identity: lowest },
  min: { reduce: reduce.reduceMin, combine: elementwise.min, window: windows.reduceWindowMin, identity: highest },
  and: { reduce: reduce.reduceAnd, combine: elementwise.and },
  or: { reduce: reduce.reduceOr, combine: elementwise.or },
  xor: { reduce: reduce.reduceXor, combine: elementwise.xor },
}

/**
 * Fold axes of arrays with an associative and commutative operation on scalars. A sum, product, extreme or logical operation becomes
 * the reduction of that kind; any other runs as a scan.
 *
 * @param operands a tree of arrays of one shape
 * @param initValues a tree of scalars, with which folds start
 * @param computation from two trees of scalars to one
 * @throws TreeError, DtypeError or ShapeError if the computation gives another type than it takes
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.reduce(np.array([[1, 2], [3, 4]]), 10, lax.add, [1]) // => [13, 17]
 * ```
 */
export function reduceWith<T>(
  operands: T,
  initValues: unknown,
  computation: (a: T, b: T) => unknown,
  dimensions: readonly number[],
): T {
  const { arrays, inits, def, combine, single } = foldOf('reduce', operands, initValues, computation as never)
  if (arrays.length === 0) return operands
  const { shape } = arrays[0]!
  const axes = normalAxes('reduce', dimensions, shape.length)
  const monoid = single === undefined ? undefined : monoids[single]
  if (monoid !== undefined) return unflatten(def, [monoid.combine(inits[0]!, monoid.reduce(arrays[0]!, axes))]) as T

  const kept = without(range(shape.length), axes)
  const outer = kept.map((axis) => shape[axis]!)
  const rows = arrays.map((x) =>
    reshape(transpose(x, [...axes, ...kept]), [sizeOf(axes.map((axis) => shape[axis]!)), ...outer]),
  )
  const start = inits.map((init) => broadcastInDim(init, outer, []))
  const [folded] = scan(
    (carry: NDArray[], row: NDArray[]): [NDArray[], null] => [[...combine(carry, row)], null],
    start,
    rows,
  )
  return unflatten(def, folded) as T
}

export interface ReduceWindowOptions {
  /** The step between windows along each axis; 1 by default. */
  windowStrides?: readonly number[]
  /** `'VALID'` (the default), `'SAME'`, `'SAME_LOWER'`, or `[low, high]` for each axis; what it adds does not take part in folds. */
  padding?: Padding
  /** Holes between elements of the operand, less one. */
  baseDilation?: readonly number[]
  /** Holes between elements of a window, less one. */
  windowDilation?: readonly number[]
}

/**
 * Fold sliding windows of arrays with an associative operation on scalars: pooling. A sum, maximum or minimum becomes the primitive of
 * that kind; any other folds one slice for each place in a window.
 *
 * @param operands a tree of arrays of one shape
 * @param initValues a tree of scalars, with which folds start
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * lax.reduceWindow(np.array([1, 5, 2, 3]), -Infinity, lax.max, [2], { windowStrides: [2] }) // => [5, 3]
 * ```
 */
export function reduceWindow<T>(
  operands: T,
  initValues: unknown,
  computation: (a: T, b: T) => unknown,
  windowDimensions: Shape,
  options: ReduceWindowOptions = {},
): T {
  checkOptions('reduceWindow', options, ['windowStrides', 'padding', 'baseDilation', 'windowDilation'])
  const { arrays, inits, def, combine, single } = foldOf('reduceWindow', operands, initValues, computation as never)
  if (arrays.length === 0) return operands
  const { shape } = arrays[0]!
  const ones = shape.map(() => 1)
  const { windowStrides = ones, baseDilation = ones, windowDilation = ones } = options
  for (const [name, list] of Object.entries({ windowDimensions, windowStrides, baseDilation, windowDilation })) {
    if (list.length !== shape.length || list.some((size) => !Number.isInteger(size) || size < 1)) {
      throw new ShapeError(
        misuse('reduceWindow', `${shape.length} positive whole numbers of ${name}`, `[${list.join(',')}]`),
      )
    }
  }
  const extents = windowDimensions.map((size, i) => dilated(size, windowDilation[i]!))
  const padding = paddingOf('reduceWindow', options.padding ?? 'VALID', shape, extents, windowStrides)
  const params = { windowDimensions, windowStrides, padding, baseDilation, windowDilation }

  const monoid = single === undefined ? undefined : monoids[single]
  const [array, init] = [arrays[0]!, inits[0]!]
  if (monoid?.window !== undefined && isConcrete(init) && init.item() === monoid.identity!(array.dtype))
    return unflatten(def, [monoid.window(array, params)]) as T

  const counts = windowCounts(shape, {
    sizes: windowDimensions,
    strides: windowStrides,
    padding,
    baseDilation,
    windowDilation,
  })
  const config = padding.map(([low, high], axis): [number, number, number] => [low, high, baseDilation[axis]! - 1])
  const padded = arrays.map((x, i) => pad(x, inits[i]!, config))
  // padding and holes do not take part, which matters if the initial value is no identity
  const real = config.some((widths) => widths.some((width) => width > 0))
    ? pad(full(shape, 1, 'bool'), scalar(0, 'bool'), config)
    : undefined
  let folded: readonly NDArray[] = inits.map((start) => broadcastInDim(start, counts, []))
  for (const place of counts.includes(0) ? [] : placesIn(windowDimensions)) {
    const from = place.map((at, i) => at * windowDilation[i]!)
    const to = from.map((at, i) => at + (counts[i]! - 1) * windowStrides[i]! + 1)
    const cut = (x: NDArray): NDArray => slice(x, from, to, windowStrides)
    const next = combine(folded, padded.map(cut))
    const before = folded
    folded = real === undefined ? next : next.map((value, i) => elementwise.select(cut(real), value, before[i]!))
  }
  return unflatten(def, folded) as T
}
/** All indices into a shape, in row-major order. */
const placesIn = (shape: Shape): number[][] =>
  shape.reduce<number[][]>((places, size) => places.flatMap((place) => range(size).map((at) => [...place, at])), [[]])
