/** Layers that only reshape, and composition. */
import { type NDArray, ShapeError, type Tree, checkOptions, showAval, tree } from '@fluxion/core'
import { module, type Module } from './module.ts'

export interface FlattenOptions {
  /** The first axis that is flattened: 1 keeps the batch axis. */
  preserveDims?: number
  name?: string
}
/** A module that flattens all axes but the first `preserveDims`. */
export const flatten: (options?: FlattenOptions) => Module = module('flatten', (options: FlattenOptions = {}) => {
  checkOptions('flatten', options, ['preserveDims', 'name'])
  const { preserveDims = 1 } = options
  return reshaped([-1], preserveDims)
})
/** A module that reshapes all axes but the first `preserveDims` to the given shape, of which one size may be -1. */
export const reshape: (shape: readonly number[], options?: FlattenOptions) => Module = module(
  'reshape',
  (shape: readonly number[], options: FlattenOptions = {}) => {
    checkOptions('reshape', options, ['preserveDims', 'name'])
    return reshaped(shape, options.preserveDims ?? 1)
  },
)
const reshaped =
  (shape: readonly number[], preserveDims: number) =>
  (x: NDArray): NDArray =>
    x.ndim <= preserveDims && shape.length === 1 && shape[0] === -1
      ? x
      : x.reshape([...x.shape.slice(0, preserveDims), ...shape])

/**
 * Apply a function to inputs whose first axes are merged into one, and split that axis again in its results.
 *
 * @param f a module or function of arrays with one batch axis
 * @param options `numDims`: how many leading axes to merge, by default 2 (batch and time)
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * hk.batchApply((x) => x.sum({ axis: 1 }))(np.ones([2, 3, 4])).shape // => [2, 3]
 * ```
 */
export function batchApply<A extends readonly unknown[], R extends Tree>(
  f: (...args: A) => R,
  options: { numDims?: number } = {},
): (...args: A) => R {
  checkOptions('batchApply', options, ['numDims'])
  const { numDims = 2 } = options
  return (...args) => {
    let leading: readonly number[] | undefined
    const merged = tree.map(
      (x: NDArray) => {
        if (x.ndim < numDims)
          throw new ShapeError(`batchApply: expected inputs of at least ${numDims} axes, got ${showAval(x.aval)}`)
        leading ??= x.shape.slice(0, numDims)
        return x.reshape([leading.reduce((product, dim) => product * dim, 1), ...x.shape.slice(numDims)])
      },
      args as unknown as NDArray[],
    )
    const result = f(...(merged as unknown as A))
    return tree.map((y: NDArray) => y.reshape([...leading!, ...y.shape.slice(1)]), result as NDArray) as unknown as R
  }
}

/** A module that calls functions and modules one after the other; further arguments go to the first. */
export const sequential: (
  layers: readonly ((...args: never[]) => unknown)[],
  options?: { name?: string },
) => Module<[x: NDArray, ...rest: unknown[]]> = module(
  'sequential',
  (layers: readonly ((...args: never[]) => unknown)[], options: { name?: string } = {}) => {
    checkOptions('sequential', options, ['name'])
    return (x: NDArray, ...rest: unknown[]): NDArray =>
      layers.reduce<unknown>(
        (sofar, layer, i) => (i === 0 ? layer(...([sofar, ...rest] as never[])) : layer(sofar as never)),
        x,
      ) as NDArray
  },
)
