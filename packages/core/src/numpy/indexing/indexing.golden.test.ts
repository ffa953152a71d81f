/** Reads and writes at indices against those that real JAX does. */
import { expect, test } from 'vitest'
import '../../setup.ts'
import type { NDArray } from '../../array.ts'
import type { DType } from '../../dtype.ts'
import { IndexError, ShapeError } from '../../errors.ts'
import { onWarning } from '../../trace.ts'
import { array } from '../create.ts'
import { type Encoded, decode, golden, mismatch } from '../golden.testing.ts'
import { reshape } from '../manipulation/shapes.ts'
import { arange } from '../ranges.ts'
import type { Index } from '../slice.ts'
import { at } from './at.ts'
import { type GetOptions, get } from './get.ts'

/** One of int, slice, newaxis, ellipsis, array, bools, with its value; the dtype of arrays stands behind it. */
type Part = Readonly<Record<string, unknown>>
interface Row {
  readonly shape: readonly number[]
  readonly index: readonly Part[]
  readonly expected: Encoded
}
interface Refused extends Omit<Row, 'expected'> {
  readonly error: 'IndexError' | 'TypeError' | 'ValueError'
}
interface Write extends Row {
  readonly dtype: DType
  readonly op: string
  readonly value: number | Encoded
  readonly options?: { readonly mode?: string; readonly fillValue?: number; readonly uniqueIndices?: boolean }
}
const { reads, errors, writes } = golden<{
  readonly reads: readonly Row[]
  readonly errors: readonly (Row | Refused)[]
  readonly writes: readonly Write[]
}>('indexing')

const base = (shape: readonly number[], dtype: DType = 'int32'): NDArray =>
  reshape(
    arange(
      shape.reduce((n, size) => n * size, 1),
      { dtype },
    ),
    shape,
  )
function decodePart(part: Part): Index {
  const [kind, value] = Object.entries(part)[0] as [string, never]
  if (kind === 'newaxis') return null
  if (kind === 'ellipsis') return '...'
  if (kind === 'array') return array(value, { dtype: part['dtype'] as DType })
  if (kind === 'bools' && typeof value !== 'boolean') return array(value, { dtype: 'bool' })
  if (kind !== 'slice') return value
  const [start, stop, step] = value as (number | null)[]
  return { start: start!, stop: stop!, step: step! }
}
const describe = (row: Omit<Row, 'expected'>): string => `[${row.shape.join(',')}] at ${JSON.stringify(row.index)}`
const read = ({ shape, index }: Omit<Row, 'expected'>): NDArray => get(base(shape), ...index.map(decodePart))

function write({ shape, dtype, index, op, value, options = {} }: Write): NDArray {
  const { mode, ...rest } = options
  const named = mode === 'promise_in_bounds' ? 'promiseInBounds' : mode
  const settings = (named === undefined ? rest : { ...rest, mode: named }) as GetOptions
  const target = at(base(shape, dtype), ...index.map(decodePart))
  return op === 'get'
    ? target.get(settings)
    : target[op as 'set'](typeof value === 'object' ? decode(value) : value, settings)
}
/** What differs from JAX, by row. */
const differences = <R extends Row>(rows: readonly R[], run: (row: R) => NDArray): string[] =>
  rows.flatMap((row) => {
    const wrong = mismatch(run(row), row.expected)
    return wrong === undefined ? [] : [`${describe(row)}: ${wrong}`]
  })

test('reads give what JAX gives', () => {
  expect(reads.length).toBeGreaterThan(100)
  expect(differences(reads, read)).toEqual([])
})

test('indices that JAX refuses are refused', () => {
  const kinds = { IndexError, TypeError: IndexError, ValueError: ShapeError }
  const refused = errors.filter((row): row is Refused => 'error' in row)
  expect(refused.length).toBeGreaterThan(4)
  for (const row of refused) expect(() => read(row)).toThrow(kinds[row.error])
})

test('positions out of range are clamped', () => {
  expect(
    differences(
      errors.filter((row): row is Row => 'expected' in row),
      read,
    ),
  ).toEqual([])
})

test('writes give what JAX gives, without warnings', () => {
  expect(writes.length).toBeGreaterThan(50)
  const warnings: string[] = []
  const before = onWarning((message) => warnings.push(message))
  try {
    expect(differences(writes, write)).toEqual([])
  } finally {
    onWarning(before)
  }
  expect(warnings).toEqual([])
})
