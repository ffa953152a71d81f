/** Looking at a function without running it: its program, and the types of its results. */
import type { NDArray } from '../array.ts'
import { FlatFunction, arrayOfLeaf, checkFunction } from '../flat.ts'
import type { Aval } from '../ir/aval.ts'
import { type ClosedJaxpr, outAvals } from '../ir/jaxpr.ts'
import { printJaxpr } from '../ir/print.ts'
import { type TreeDef, flattenWithPaths, unflatten } from '../tree.ts'
import type { MapLeaves, ShapeDtype, Tree } from '../types.ts'
import { stage } from './staging.ts'

const isType = (x: unknown): x is ShapeDtype =>
  typeof x === 'object' && x !== null && Object.hasOwn(x, 'shape') && Object.hasOwn(x, 'dtype')

/** Stage a function of trees whose leaves are arrays, numbers, or types. */
function stageTree(
  what: string,
  f: (...args: never[]) => unknown,
  args: readonly unknown[],
): { program: ClosedJaxpr; outDef: TreeDef } {
  checkFunction(what, f)
  const [leaves, def, paths] = flattenWithPaths(args, isType)
  const avals = leaves.map((leaf, i): Aval => {
    if (isType(leaf)) return { shape: leaf.shape, dtype: leaf.dtype, weakType: leaf.weakType ?? false }
    return arrayOfLeaf(what, leaf, `argument ${paths[i]!.replace(/^\[(\d+)\]/, '$1')}`, 'float').aval
  })
  const flat = new FlatFunction(what, f, def)
  return {
    program: stage(
      what,
      flat.call,
      avals,
      paths.map((path) => `argument ${path.replace(/^\[(\d+)\]/, '$1')}`),
    ),
    outDef: flat.outDef,
  }
}

/** A program that prints as JAX prints it. */
export interface ShownJaxpr extends ClosedJaxpr {
  toString(): string
}
/**
 * The program that tracing a function gives.
 *
 * @returns a function of the same arguments, of which only types count, that gives the program
 * @example
 * ```ts
 * import { makeJaxpr, np } from 'fluxion'
 * String(makeJaxpr((x) => np.sin(x).mul(2))(np.zeros([3]))).includes('sin') // => true
 * ```
 */
export function makeJaxpr<A extends readonly unknown[] = NDArray[]>(
  f: (...args: A) => Tree,
): (...args: { [K in keyof A]: A[K] | number | MapLeaves<A[K], ShapeDtype> }) => ShownJaxpr {
  return (...args) => {
    const { program } = stageTree('makeJaxpr', f as (...args: never[]) => unknown, args)
    return { ...program, toString: () => printJaxpr(program) }
  }
}

/**
 * The types of a function's results, without computing them.
 *
 * @param args arrays, numbers, or types `{ shape, dtype }`
 * @returns the result's tree with types as leaves
 * @example
 * ```ts
 * import { evalShape, np } from 'fluxion'
 * evalShape((x) => np.sum(x, { axis: 0 }), { shape: [2, 3], dtype: 'float32', weakType: false }).shape // => [3]
 * ```
 */
export function evalShape<A extends readonly unknown[], R extends Tree>(
  f: (...args: A) => R,
  ...args: { [K in keyof A]: A[K] | MapLeaves<A[K], ShapeDtype> }
): MapLeaves<R, ShapeDtype> {
  const { program, outDef } = stageTree('evalShape', f as (...args: never[]) => unknown, args)
  return unflatten(outDef, outAvals(program)) as MapLeaves<R, ShapeDtype>
}
