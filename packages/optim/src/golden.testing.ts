/** For tests against real Optax: reads its golden file, runs what it names, and tells trees that differ. */
import { readFileSync } from 'node:fs'
import { runInThisContext } from 'node:vm'
import { type DType, type NDArray, np, tree } from '@fluxion/core'
import * as optim from './index.ts'

export interface Encoded {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly (number | boolean | string)[]
}
/** Trees of encoded arrays. */
export type EncodedTree = Encoded | readonly EncodedTree[] | { readonly [key: string]: EncodedTree }

export const golden = <Sections>(name: string): Sections =>
  JSON.parse(readFileSync(new URL(`../../../test/golden/${name}.json`, import.meta.url), 'utf8')) as Sections

const isEncoded = (node: unknown): node is Encoded =>
  typeof node === 'object' && node !== null && 'dtype' in node && 'data' in node
const decodeArray = ({ dtype, shape, data }: Encoded): NDArray => np.array(data.map(Number), { dtype }).reshape(shape)
/** The arrays of a tree that the golden file encodes. */
export const decode = (encoded: unknown): unknown =>
  tree.mapWith({ isLeaf: isEncoded }, (node: unknown) => (isEncoded(node) ? decodeArray(node) : node), encoded)

/** Evaluate the text of an expression with the package's functions in scope, and names of the caller's. */
export function evaluate(expression: string, names: Readonly<Record<string, unknown>> = {}): unknown {
  const scope = { ...optim, ...names }
  const f = runInThisContext(`(({ ${Object.keys(scope).join(', ')} }) => (${expression}))`) as (
    given: object,
  ) => unknown
  return f(scope)
}

/**
 * What is wrong with a tree, or nothing. Elements may differ by a part of the largest element of their leaf, since one that is small because
 * larger terms cancelled has their rounding.
 */
export function mismatch(got: unknown, expected: unknown, tolerance: number): string | undefined {
  const [leaves, def] = tree.flatten(decode(expected))
  if (!def.equals(tree.structure(got))) return `${String(tree.structure(got))} instead of ${String(def)}`
  for (const [i, leaf] of tree.leaves(got).entries()) {
    const wrong = leafMismatch(leaf, leaves[i]!, tolerance)
    if (wrong !== undefined) return `leaf ${i}: ${wrong}`
  }
  return undefined
}
function leafMismatch(got: NDArray, expected: NDArray, tolerance: number): string | undefined {
  const [a, b] = [got, expected].map((x) => `${x.dtype}[${x.shape.join()}]`)
  if (a !== b) return `${a} instead of ${b}`
  const [values, wanted] = [[...got.dataSync()], [...expected.dataSync()]]
  const largest = Math.max(...wanted.filter(Number.isFinite).map(Math.abs))
  const at = values.findIndex((x, k) => {
    const y = wanted[k]!
    return !(Object.is(x, y) || Math.abs(x - y) <= tolerance * largest)
  })
  return at < 0 ? undefined : `${values[at]} instead of ${wanted[at]} at ${at}, the largest being ${largest}`
}
