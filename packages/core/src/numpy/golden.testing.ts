/** For tests against real JAX: reads golden files, and tells arrays that differ from them. */
import { readFileSync } from 'node:fs'
import type { NDArray } from '../array.ts'
import { allocate } from '../backend/reference/host.ts'
import { type DType, dtypes, isFloat } from '../dtype.ts'
import { fromHost } from '../trace.ts'

export interface Encoded {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly (number | boolean | string)[]
  readonly weakType?: true
}

/** The sections of `test/golden/NAME.json`. */
export const golden = <Sections>(name: string): Sections =>
  JSON.parse(readFileSync(new URL(`../../../../test/golden/${name}.json`, import.meta.url), 'utf8')) as Sections

export function decode({ dtype, shape, data, weakType }: Encoded): NDArray {
  const elements = allocate(dtype, data.length)
  for (const [i, value] of data.entries()) elements[i] = Number(value)
  return fromHost({ shape, dtype, data: elements }, weakType === true)
}

/** How far apart numbers of a dtype may be: units in the last place, and an absolute distance. */
export interface Tolerance {
  readonly ulps?: number
  readonly absolute?: number
}

/** What is wrong with an array, or nothing: `NaN` equals itself, and zeros of both signs differ. */
export function mismatch(
  got: NDArray,
  expected: Encoded,
  { ulps = 0, absolute = 0 }: Tolerance = {},
): string | undefined {
  const [a, b] = [`${got.dtype}[${got.shape.join()}]`, `${expected.dtype}[${expected.shape.join()}]`]
  if (a !== b) return `${a} instead of ${b}`
  const values = got.dataSync()
  // the decimals in the files are the shortest that give the float32, not equal to it
  const exact = isFloat(got.dtype) && got.dtype !== 'float64' ? Math.fround : (value: number) => value
  const at = expected.data.findIndex((value, i) => !near(values[i]!, exact(Number(value)), got.dtype, ulps, absolute))
  return at < 0 ? undefined : `${values[at]} instead of ${expected.data[at]} at ${at}`
}
function near(got: number, expected: number, dtype: DType, ulps: number, absolute: number): boolean {
  if (Object.is(got, expected)) return true
  if (!isFloat(dtype) || !Number.isFinite(got) || !Number.isFinite(expected) || (got === 0 && expected === 0))
    return false
  const distance = Math.abs(got - expected)
  return distance <= absolute || distance <= ulps * dtypes[dtype].eps * Math.max(Math.abs(expected), dtypes[dtype].tiny)
}

/** Tell types as the golden files do: the dtype, and a star if it is weak. */
export const typeName = (x: NDArray): string => x.dtype + (x.weakType ? '*' : '')
