/** Reads and writes at indices against those that real JAX does. */
import '../../setup.ts'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { NDArray } from '../../array.ts'
import type { DType } from '../../dtype.ts'
import { IndexError, ShapeError } from '../../errors.ts'
import { onWarning } from '../../trace.ts'
import { array } from '../create.ts'
import { reshape } from '../manipulation/shapes.ts'
import { arange } from '../ranges.ts'
import type { Index } from '../slice.ts'
import { at } from './at.ts'
import { type GetOptions, get } from './get.ts'

type Nest = number | boolean | string | readonly Nest[]
interface Encoded {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly (number | boolean | string)[]
}
/** One of int, slice, newaxis, ellipsis, array, bools, with its value; the dtype of arrays stands behind it. */
type Part = Readonly<Record<string, unknown>>
interface Row {
  readonly shape: readonly number[]
  readonly index: readonly Part[]
  readonly expected: Encoded
}
interface Write extends Row {
  readonly dtype: DType
  readonly op: string
  readonly value: number | Encoded
  readonly options?: { readonly mode?: string; readonly fillValue?: number; readonly uniqueIndices?: boolean }
}
const golden = JSON.parse(
  readFileSync(new URL('../../../../../test/golden/indexing.json', import.meta.url), 'utf8'),
) as {
  readonly reads: readonly Row[]
  readonly errors: readonly (Row & { readonly error?: string })[]
  readonly writes: readonly Write[]
}

const base = (shape: readonly number[], dtype: DType = 'int32'): NDArray =>
  reshape(
    arange(
      shape.reduce((n, size) => n * size, 1),
      { dtype },
    ),
    shape,
  )
const numberOf = (value: number | boolean | string): number => Number(value)
const decode = ({ dtype, shape, data }: Encoded): NDArray => reshape(array(data.map(numberOf), { dtype }), shape)

/** Empty nested lists lose their inner sizes in JSON only past the first empty axis: `[[], []]` is of shape [2, 0]. */
const decodeNest = (values: Nest, dtype: DType): NDArray => array(values as never, { dtype })
function decodePart(part: Part): Index {
  const [kind, value] = Object.entries(part)[0] as [string, unknown]
  if (kind === 'newaxis') return null
  if (kind === 'ellipsis') return '...'
  if (kind === 'int') return value as number
  if (kind === 'array') return decodeNest(value as Nest, part['dtype'] as DType)
  if (kind === 'bools') return typeof value === 'boolean' ? value : decodeNest(value as Nest, 'bool')
  const [start, stop, step] = value as [number | null, number | null, number | null]
  return { start, stop, step }
}
const title = ({ shape, index }: Row): string => `[${shape.join(',')}] at ${JSON.stringify(index)}`
function check(actual: NDArray, expected: Encoded, what: string): void {
  expect({ dtype: actual.dtype, shape: [...actual.shape], data: [...actual.dataSync()] }, what).toEqual({
    dtype: expected.dtype,
    shape: expected.shape,
    data: expected.data.map(numberOf),
  })
}

test('reads give what JAX gives', () => {
  expect(golden.reads.length).toBeGreaterThan(100)
  for (const row of golden.reads) check(get(base(row.shape), ...row.index.map(decodePart)), row.expected, title(row))
})

test('indices that JAX refuses are refused, and those out of range are clamped', () => {
  const kinds: Record<string, unknown> = { IndexError, TypeError: IndexError, ValueError: ShapeError }
  for (const row of golden.errors) {
    const read = () => get(base(row.shape), ...row.index.map(decodePart))
    if (row.error === undefined) check(read(), row.expected, title(row))
    else expect(read, title(row)).toThrow(kinds[row.error] as typeof IndexError)
  }
})

test('writes give what JAX gives', () => {
  expect(golden.writes.length).toBeGreaterThan(50)
  const before = onWarning((message) => {
    throw new Error(message)
  })
  try {
    for (const row of golden.writes) {
      const { mode, ...rest } = row.options ?? {}
      const options = {
        ...rest,
        ...(mode === undefined ? {} : { mode: mode === 'promise_in_bounds' ? 'promiseInBounds' : mode }),
      } as GetOptions
      const target = at(base(row.shape, row.dtype), ...row.index.map(decodePart))
      const value = typeof row.value === 'object' ? decode(row.value) : row.value
      const actual = row.op === 'get' ? target.get(options) : target[row.op as 'set'](value, options)
      check(actual, row.expected, `${title(row)} ${row.op} ${JSON.stringify(row.options)}`)
    }
  } finally {
    onWarning(before)
  }
})
