/** For tests across packages against real JAX: reads golden files, and measures how far arrays are from theirs. */
import { readFileSync } from 'node:fs'
import { type DType, type NDArray, np, tree } from '@fluxion/core'

/** An array as golden files hold it. */
export interface Encoded {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly (number | boolean | string)[]
}

/** The sections of `test/golden/NAME.json`. */
export const golden = <Sections>(name: string): Sections =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')) as Sections

const isEncoded = (node: unknown): node is Encoded =>
  typeof node === 'object' && node !== null && 'dtype' in node && 'data' in node
const decodeArray = ({ dtype, shape, data }: Encoded): NDArray => np.array(data.map(Number), { dtype }).reshape(shape)
/** A tree with its encoded arrays decoded. */
export const decode = <T = NDArray>(encoded: unknown): T =>
  tree.mapWith({ isLeaf: isEncoded }, (node: unknown) => (isEncoded(node) ? decodeArray(node) : node), encoded) as T

/** How far elements may be from the expected ones: `|got − expected| ≤ absolute + relative · |expected|`. */
export interface Tolerance {
  readonly relative?: number
  readonly absolute?: number
}
/** What is wrong with a tree of arrays, or nothing; without a tolerance elements must be equal. */
export function mismatch(
  got: unknown,
  expected: unknown,
  { relative = 0, absolute = 0 }: Tolerance = {},
): string | undefined {
  const [wanted, structure] = tree.flatten(decode(expected))
  if (!structure.equals(tree.structure(got))) return `${String(tree.structure(got))} instead of ${String(structure)}`
  for (const [i, x] of tree.leaves(got).entries()) {
    const y = wanted[i]!
    const [a, b] = [x, y].map(({ dtype, shape }) => `${dtype}[${shape.join(',')}]`)
    if (a !== b) return `leaf ${i}: ${a} instead of ${b}`
    const [values, others] = [[...x.dataSync()], [...y.dataSync()]]
    const at = values.findIndex(
      (value, k) =>
        !(value === others[k] || Math.abs(value - others[k]!) <= absolute + relative * Math.abs(others[k]!)),
    )
    if (at >= 0) return `leaf ${i}: ${values[at]} instead of ${others[at]} at ${at}`
  }
  return undefined
}
