/** `vmap` as users call it. */
import type { NDArray } from '../array.ts'
import { OptionError, ShapeError, TreeError, checkOptions, misuse } from '../errors.ts'
import { FlatFunction, checkFunction, flattenArgs } from '../flat.ts'
import { showAval } from '../ir/aval.ts'
import type { BatchDim } from '../primitive/define.ts'
import { spreadPrefix, unflatten } from '../tree.ts'
import type { Fn, Tree } from '../types.ts'
import { batchSize, moveBatchAxis, vmapFlat } from './vmap.ts'

type Axes<T> =
  | number
  | null
  | ([Tree] extends [T]
      ? never
      : T extends NDArray
        ? never
        : T extends object
          ? { readonly [K in keyof T]: Axes<T[K]> }
          : never)
export interface VmapOptions<A extends readonly unknown[], R> {
  /** The axis to map over: one for all arguments, or a list with a tree prefix for each; `null` for an argument that is not mapped. */
  inAxes?: number | null | { readonly [K in keyof A]: Axes<A[K]> }
  /** Where results get the axis: a tree prefix of the result; `null` for results that do not depend on the batch. */
  outAxes?: Axes<R>
  /** A name by which collectives (`lax.psum` …) inside `f` refer to the axis. */
  axisName?: string
  /** The size of the axis, needed only where no argument is mapped. */
  axisSize?: number
}
const isAxis = (x: unknown): boolean => typeof x === 'number' || x === null

/**
 * Map a function over an axis of its arguments, as one batched function instead of a loop.
 *
 * @param f a function of trees of arrays without the axis
 * @throws ShapeError if mapped axes differ in size; TreeError if `inAxes` or `outAxes` do not fit
 * @example
 * ```ts
 * import { np, vmap } from 'fluxion'
 * const dot = (x, y) => x.mul(y).sum()
 * vmap(dot, { inAxes: [0, null] })(np.array([[1, 2], [3, 4]]), np.array([1, 10])) // => [21, 43]
 * ```
 */
// NoInfer, or `inAxes: [0, null]` becomes the place where A is inferred, and an unannotated parameter is unknown.
export function vmap<A extends readonly unknown[] = NDArray[], R extends Tree = Tree>(
  f: (...args: A) => R,
  options: VmapOptions<NoInfer<A>, NoInfer<R>> = {},
): Fn<A, R> {
  checkFunction('vmap', f)
  checkOptions('vmap', options, ['inAxes', 'outAxes', 'axisName', 'axisSize'])
  const { inAxes = 0, outAxes = 0, axisName, axisSize } = options
  return ((...args: unknown[]): R => {
    const { leaves, def, paths } = flattenArgs('vmap', args)
    if (Array.isArray(inAxes) && inAxes.length !== args.length) {
      throw new TreeError(misuse('vmap', `inAxes for ${args.length} arguments`, `a list of ${inAxes.length}`))
    }
    const dims = spreadPrefix('vmap: inAxes', inAxes, def, isAxis).map((axis, i) =>
      mappedAxis(axis as number | null, leaves[i]!, paths[i]!),
    )
    const size = sizeOfAxis(leaves, dims, paths, axisSize)
    const flat = new FlatFunction('vmap', f as (...args: never[]) => unknown, def)
    const [outs, outDims] = vmapFlat(flat.call, leaves, dims, { size, name: axisName }, paths)
    const placed = spreadPrefix('vmap: outAxes', outAxes, flat.outDef, isAxis)
    return unflatten(
      flat.outDef,
      outs.map((out, i) => place(out, outDims[i]!, placed[i] as number | null, size, flat.outPaths[i]!)),
    ) as R
  }) as Fn<A, R>
}

function mappedAxis(axis: number | null, leaf: NDArray, path: string): BatchDim {
  if (axis === null) return null
  const dim = axis < 0 ? axis + leaf.ndim : axis
  if (Number.isInteger(axis) && dim >= 0 && dim < leaf.ndim) return dim
  throw new ShapeError(
    misuse(
      'vmap',
      `an array with an axis ${axis} for ${path}`,
      showAval(leaf.aval),
      'inAxes: null leaves an argument unmapped',
    ),
  )
}
function sizeOfAxis(
  leaves: readonly NDArray[],
  dims: readonly BatchDim[],
  paths: readonly string[],
  given: number | undefined,
): number {
  if (dims.every((dim) => dim === null)) {
    if (given === undefined)
      throw new OptionError(misuse('vmap', 'at least one mapped argument', 'none', 'set axisSize if that is meant'))
    return given
  }
  const size = batchSize('vmap', leaves, dims, paths)
  if (given !== undefined && given !== size)
    throw new ShapeError(misuse('vmap', `mapped axes of axisSize ${given}`, String(size)))
  return size
}
function place(out: NDArray, dim: BatchDim, axis: number | null, size: number, path: string): NDArray {
  if (axis === null) {
    if (dim !== null)
      throw new TreeError(
        misuse('vmap', `a result${path} that does not depend on the batch, since its outAxes is null`, 'one that does'),
        path,
      )
    return out
  }
  const rank = out.ndim + (dim === null ? 1 : 0)
  const to = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || to < 0 || to >= rank)
    throw new ShapeError(misuse('vmap', `outAxes for a result of rank ${rank}`, String(axis)))
  return moveBatchAxis(out, dim, to, size)
}
