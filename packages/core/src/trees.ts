/** The `tree` namespace: what users do with pytrees. */
import type { NDArray } from './array.ts'
import { type TreeDef, assertSameStructure, flattenAny, flattenWithPaths, unflatten as build } from './tree.ts'
import type { MapLeaves, Tree } from './types.ts'

export { register } from './tree.ts'
type AnyFunction = (...leaves: never[]) => unknown
export interface TreeOptions {
  /** Nodes that count as leaves. */
  isLeaf?: (node: unknown) => boolean
}

/**
 * Apply a function to the leaves of one tree, or to those of several trees of one structure together.
 *
 * @throws TreeError that leads to the first place where the structures differ
 * @example
 * ```ts
 * import { tree } from 'fluxion'
 * tree.map((x, y) => x + y, { a: 1, b: [2] }, { a: 10, b: [20] }) // => { a: 11, b: [22] }
 * ```
 */
export function map<T extends Tree>(
  f: (leaf: NDArray, ...rest: NDArray[]) => NDArray,
  tree: T,
  ...rest: readonly T[]
): T
export function map<T>(f: (leaf: NDArray, ...rest: NDArray[]) => NDArray, tree: T, ...rest: readonly T[]): T
export function map<T, U>(f: (leaf: NDArray, ...rest: NDArray[]) => U, tree: T, ...rest: readonly T[]): MapLeaves<T, U>
export function map(f: AnyFunction, first: unknown, ...rest: unknown[]): unknown {
  return mapWith({}, f as never, first, ...rest)
}
/** The same with options, which cannot come last since plain objects are trees. */
export function mapWith<T>(
  options: TreeOptions,
  f: (leaf: never, ...rest: never[]) => unknown,
  first: T,
  ...rest: readonly unknown[]
): unknown {
  const [leaves, def] = flattenAny(first, options.isLeaf)
  const others = rest.map((tree) => {
    const [otherLeaves, otherDef] = flattenAny(tree, options.isLeaf)
    assertSameStructure('tree.map', def, otherDef)
    return otherLeaves
  })
  return build(
    def,
    leaves.map((leaf, i) => f(leaf as never, ...(others.map((list) => list[i]) as never[]))),
  )
}
/** The leaves of a tree, in order. */
export const leaves = (tree: unknown, options: TreeOptions = {}): NDArray[] =>
  flattenAny(tree, options.isLeaf)[0] as NDArray[]
/** The leaves of a tree, each with the path that leads to it, as JavaScript would write it: `.layers[0].w`. */
export const leavesWithPath = (tree: unknown, options: TreeOptions = {}): [path: string, leaf: NDArray][] => {
  const [found, , paths] = flattenWithPaths(tree, options.isLeaf)
  return found.map((leaf, i) => [paths[i]!, leaf as NDArray])
}
/** The leaves of a tree, and its structure. */
export const flatten = (tree: unknown, options: TreeOptions = {}): [NDArray[], TreeDef] =>
  flattenAny(tree, options.isLeaf) as [NDArray[], TreeDef]
/** A tree of the given structure and leaves. */
export const unflatten = (def: TreeDef, given: readonly unknown[]): unknown => build(def, given)
/** The structure of a tree. */
export const structure = (tree: unknown, options: TreeOptions = {}): TreeDef => flattenAny(tree, options.isLeaf)[1]
/** Combine the leaves of a tree from the left. */
export const reduce = <R>(f: (sum: R, leaf: NDArray) => R, tree: unknown, initial: R): R =>
  leaves(tree).reduce(f, initial)
/** Whether all leaves of a tree pass a test. */
export const all = (tree: unknown, test: (leaf: NDArray) => boolean): boolean => leaves(tree).every(test)
