/** Collectives: operations over an axis that an enclosing `vmap` names. */
import type { NDArray } from '../array.ts'
import { isFloat } from '../dtype.ts'
import { MissingRuleError, OptionError, checkOptions, misuse } from '../errors.ts'
import { flattenArrays } from '../flat.ts'
import { type Aval, aval } from '../ir/aval.ts'
import { noAxes } from '../primitive/axes.ts'
import { type Primitive, Zero, definePrimitive } from '../primitive/define.ts'
import { convert, div, mul } from '../primitive/elementwise.ts'
import { dynamicSlice } from '../primitive/indexing.ts'
import { concatenate, iota, reshape, slice, squeeze } from '../primitive/movement.ts'
import { reduceMax, reduceMin, reduceSum } from '../primitive/reduce.ts'
import { isZero, scalarLike } from '../primitive/rules.ts'
import { zerosLike } from '../primitive/zeros.ts'
import { inserted, normalAxis, range } from '../shape.ts'
import { unflatten } from '../tree.ts'
import { axisSizeOf, bind1, scalar } from '../trace.ts'
import { moveBatchAxis } from '../transform/vmap.ts'

interface AxisParams {
  readonly axisName: string
}
const unbound = (name: string) => (): never => {
  throw new MissingRuleError(`${name}: no enclosing vmap names its axis`)
}
/** Both kinds of reduction keep the type; over another axis than the one being batched they are elementwise. */
const reduction = (
  name: string,
  reduce: (x: NDArray, dim: number) => NDArray,
  unmapped: (x: NDArray, size: number) => NDArray,
  linear: boolean,
): Primitive<AxisParams> => {
  const row: Primitive<AxisParams> = definePrimitive<AxisParams>({
    name,
    type: (args) => args.map((a) => aval(a.shape, a.dtype)),
    ...(linear
      ? {
          jvp: ([x], [t], params) => [
            [bind1(row, [x!], params)],
            [isZero(t!) ? t! : bind1(row, [t as NDArray], params)],
          ],
          transpose: ([ct], [x], params) => [isZero(ct!) ? new Zero(x!.aval) : bind1(row, [ct as NDArray], params)],
        }
      : {}),
    batch([x], [dim], params, { name: axis, size }) {
      if (params.axisName !== axis) return [[bind1(row, [x!], params)], [dim!]]
      return [[dim === null ? unmapped(x!, size) : reduce(x!, dim!)], [null]]
    },
    axes: noAxes,
    reference: unbound(name),
    axisNames: ({ axisName }) => [axisName],
  })
  return row
}
const psumPrimitive = reduction(
  'psum',
  (x, dim) => reduceSum(x, [dim]),
  (x, size) => mul(x, scalarLike(x, size)),
  true,
)
const pmaxPrimitive = reduction(
  'pmax',
  (x, dim) => reduceMax(x, [dim]),
  (x) => x,
  false,
)
const pminPrimitive = reduction(
  'pmin',
  (x, dim) => reduceMin(x, [dim]),
  (x) => x,
  false,
)

const axisIndexPrimitive: Primitive<AxisParams> = definePrimitive<AxisParams>({
  name: 'axis_index',
  type: (): Aval[] => [aval([], 'int32')],
  batch: (_, __, { axisName }, { name, size }) =>
    axisName === name ? [[iota('int32', [size], 0)], [0]] : [[bind1(axisIndexPrimitive, [], { axisName })], [null]],
  axes: noAxes,
  reference: unbound('axis_index'),
  axisNames: ({ axisName }) => [axisName],
})

interface GatherParams extends AxisParams {
  readonly axisSize: number
  readonly allGatherDimension: number
}
const allGatherPrimitive: Primitive<GatherParams> = definePrimitive<GatherParams>({
  name: 'all_gather',
  type: ([x], { axisSize, allGatherDimension }) => [aval(inserted(x!.shape, allGatherDimension, axisSize), x!.dtype)],
  jvp: ([x], [t], params) => [
    [bind1(allGatherPrimitive, [x!], params)],
    [
      isZero(t!)
        ? new Zero(aval(inserted(x!.shape, params.allGatherDimension, params.axisSize), x!.dtype))
        : bind1(allGatherPrimitive, [t as NDArray], params),
    ],
  ],
  // Every element is seen by all, so its cotangent is what all of them say about it: a sum, of which each keeps its own part.
  transpose: ([ct], [x], { axisName, allGatherDimension }) => {
    if (isZero(ct!)) return [new Zero(x!.aval)]
    const summed = bind1(psumPrimitive, [ct as NDArray], { axisName })
    const place = bind1(axisIndexPrimitive, [], { axisName })
    const starts = summed.shape.map((_, i) => (i === allGatherDimension ? place : scalar(0, 'int32')))
    return [squeeze(dynamicSlice(summed, starts, inserted(x!.aval.shape, allGatherDimension, 1)), [allGatherDimension])]
  },
  batch([x], [dim], params, { name, size }) {
    const { axisName, allGatherDimension } = params
    if (axisName === name) return [[moveBatchAxis(x!, dim!, allGatherDimension, size)], [null]]
    return [
      [
        bind1(allGatherPrimitive, [moveBatchAxis(x!, dim!, 0, size)], {
          ...params,
          allGatherDimension: allGatherDimension + 1,
        }),
      ],
      [0],
    ]
  },
  axes: noAxes,
  reference: unbound('all_gather'),
  axisNames: ({ axisName }) => [axisName],
})

interface PermuteParams extends AxisParams {
  /** Pairs of source and destination; who is no destination gets zeros. */
  readonly perm: readonly (readonly [number, number])[]
}
const ppermutePrimitive: Primitive<PermuteParams> = definePrimitive<PermuteParams>({
  name: 'ppermute',
  type: (args) => args.map((a) => aval(a.shape, a.dtype)),
  jvp: ([x], [t], params) => [
    [bind1(ppermutePrimitive, [x!], params)],
    [isZero(t!) ? t! : bind1(ppermutePrimitive, [t as NDArray], params)],
  ],
  transpose: ([ct], [x], { axisName, perm }) => [
    isZero(ct!)
      ? new Zero(x!.aval)
      : bind1(ppermutePrimitive, [ct as NDArray], { axisName, perm: perm.map(([from, to]) => [to, from] as const) }),
  ],
  batch([x], [dim], params, { name, size }) {
    if (params.axisName !== name) return [[bind1(ppermutePrimitive, [x!], params)], [dim!]]
    const front = moveBatchAxis(x!, dim!, 0, size)
    const inner = front.shape.slice(1)
    const row = (i: number): NDArray => slice(front, [i, ...inner.map(() => 0)], [i + 1, ...inner])
    const sources = range(size).map((to) => params.perm.find((pair) => pair[1] === to)?.[0])
    return [
      [
        concatenate(
          sources.map((from) => (from === undefined ? zerosLike({ ...front.aval, shape: [1, ...inner] }) : row(from))),
          0,
        ),
      ],
      [0],
    ]
  },
  axes: noAxes,
  reference: unbound('ppermute'),
  axisNames: ({ axisName }) => [axisName],
})

type Reduction = <T>(x: T, axisName: string | readonly string[]) => T
const onLeaves = <T>(where: string, tree: T, axisName: string, f: (leaf: NDArray) => NDArray): T => {
  axisSizeOf(where, axisName)
  const { leaves, def } = flattenArrays(where, tree)
  return unflatten(def, leaves.map(f)) as T
}
/** A reduction of every leaf of a tree over one axis after another; whole numbers stay so, as `psum(1, name)` is the axis's size. */
const over =
  (where: string, f: (leaf: NDArray, axisName: string) => NDArray): Reduction =>
  (x, axisName) => {
    const names = typeof axisName === 'string' ? [axisName] : axisName
    for (const name of names) axisSizeOf(where, name)
    const { leaves, def } = flattenArrays(where, x, 'integral')
    return unflatten(
      def,
      leaves.map((leaf) => names.reduce(f, leaf)),
    ) as never
  }
const sum = (x: NDArray, axisName: string): NDArray =>
  bind1(psumPrimitive, [x.dtype === 'bool' ? convert(x, 'int32') : x], { axisName })

/**
 * The sum over named axes, on every leaf of a tree.
 *
 * @param axisName the axis, or a list of axes
 * @throws MissingRuleError if no enclosing `vmap` names an axis
 * @example
 * ```ts
 * import { lax, np, vmap } from 'fluxion'
 * vmap((x) => x.div(lax.psum(x, 'batch')), { axisName: 'batch' })(np.array([1, 3])) // => [0.25, 0.75]
 * ```
 */
export const psum: Reduction = over('psum', sum)
/** The mean over named axes, on every leaf of a tree; see `psum`. */
export const pmean: Reduction = over('pmean', (leaf, axisName) => {
  const whole = sum(leaf, axisName)
  const total = isFloat(whole.dtype) ? whole : convert(whole, 'float32')
  return div(total, scalarLike(total, axisSizeOf('pmean', axisName)))
})
/** The maximum over named axes, on every leaf of a tree; see `psum`. */
export const pmax: Reduction = over('pmax', (leaf, axisName) => bind1(pmaxPrimitive, [leaf], { axisName }))
/** The minimum over named axes, on every leaf of a tree; see `psum`. */
export const pmin: Reduction = over('pmin', (leaf, axisName) => bind1(pminPrimitive, [leaf], { axisName }))
/** The place of this element along a named axis, i32[]. */
export function axisIndex(axisName: string): NDArray {
  axisSizeOf('axisIndex', axisName)
  return bind1(axisIndexPrimitive, [], { axisName })
}
/** The size of a named axis. */
export const axisSize = (axisName: string): number => axisSizeOf('axisSize', axisName)

/**
 * All elements' values along a named axis, stacked, on every leaf of a tree.
 *
 * @param options `axis`: where the new axis stands; `tiled`: concatenate along it instead of stacking
 */
export function allGather<T>(x: T, axisName: string, options: { axis?: number; tiled?: boolean } = {}): T {
  checkOptions('allGather', options, ['axis', 'tiled'])
  const { axis = 0, tiled = false } = options
  return onLeaves('allGather', x, axisName, (leaf) => {
    const at = normalAxis('allGather', axis, leaf.ndim + (tiled ? 0 : 1))
    const gathered = bind1(allGatherPrimitive, [leaf], {
      axisName,
      axisSize: axisSizeOf('allGather', axisName),
      allGatherDimension: at,
    })
    return tiled
      ? reshape(
          gathered,
          leaf.shape.map((dim, i) => (i === at ? dim * gathered.shape[at]! : dim)),
        )
      : gathered
  })
}
/** Send values between the elements of a named axis: `perm` lists pairs of source and destination; who receives none gets zeros. */
export function ppermute<T>(x: T, axisName: string, perm: readonly (readonly [number, number])[]): T {
  const size = axisSizeOf('ppermute', axisName)
  for (const end of [0, 1] as const) {
    const places = perm.map((pair) => pair[end])
    if (new Set(places).size !== places.length || places.some((i) => !Number.isInteger(i) || i < 0 || i >= size)) {
      throw new OptionError(misuse('ppermute', `different places from 0 to ${size - 1}`, JSON.stringify(perm)))
    }
  }
  return onLeaves('ppermute', x, axisName, (leaf) => bind1(ppermutePrimitive, [leaf], { axisName, perm }))
}
