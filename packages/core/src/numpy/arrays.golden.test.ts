/** Functions of `np` that move, join, sort, search, count and multiply arrays, and `np.linalg`, against real JAX: values and gradients. */
import { expect, test } from 'vitest'
import '../setup.ts'
import { NDArray } from '../array.ts'
import { isFloat } from '../dtype.ts'
import { gradientMismatch } from '../nn/golden.testing.ts'
import { grad } from '../transform/autodiff.ts'
import { type Encoded, decode, golden, mismatch, typeName } from './golden.testing.ts'
import * as np from './index.ts'

interface Case {
  readonly fn: string
  readonly args: readonly unknown[]
  readonly options?: Readonly<Record<string, unknown>>
  readonly expected: readonly Encoded[]
  readonly gradients?: readonly Encoded[]
  readonly ulps?: number
}
const sections = ['manipulation', 'reading', 'sorting', 'products', 'statistics', 'linalg'] as const
const cases = golden<Readonly<Record<(typeof sections)[number], readonly Case[]>>>('arrays')

const isEncoded = (x: unknown): x is Encoded => typeof x === 'object' && x !== null && 'dtype' in x && 'data' in x
const value = (x: unknown): unknown => {
  if (isEncoded(x)) return decode(x)
  if (x === 'NaN' || x === 'Infinity' || x === '-Infinity') return Number(x)
  return Array.isArray(x) ? x.map(value) : x
}
/** All results in order: those of lists, and of records by their fields. */
const results = (out: unknown): NDArray[] =>
  out instanceof NDArray ? [out] : Object.values(out as object).flatMap(results)

type Call = (...args: unknown[]) => unknown
const functions: Readonly<Record<string, unknown>> = { ...np }
function functionOf(name: string): Call {
  const [space, inner] = name.split('.')
  const found = inner === undefined ? functions[name] : (functions[space!] as Record<string, unknown>)[inner]
  return found as Call
}

/** The call that a case describes, as a function of the float32 arrays among its arguments, in order. */
function callOf({ fn, args, options = {} }: Case): { run: (...floats: NDArray[]) => NDArray[]; floats: NDArray[] } {
  const values = args.map(value)
  const settings = Object.fromEntries(Object.entries(options).map(([name, x]) => [name, value(x)]))
  const floats: NDArray[] = []
  const collect = (x: unknown): void => {
    if (x instanceof NDArray && x.dtype === 'float32') floats.push(x)
    else if (Array.isArray(x)) x.forEach(collect)
  }
  collect(values)
  const f = functionOf(fn)
  const run = (...given: NDArray[]): NDArray[] => {
    let next = 0
    const replaced = (x: unknown): unknown => {
      if (x instanceof NDArray) return x.dtype === 'float32' ? given[next++] : x
      return Array.isArray(x) ? x.map(replaced) : x
    }
    return results(f(...values.map(replaced), ...(Object.keys(settings).length === 0 ? [] : [settings])))
  }
  return { run, floats }
}

/** The sum whose gradients the cases hold, with factors i % 5 − 1.5. */
function total(out: readonly NDArray[]): NDArray {
  const sums = out
    .filter((x) => isFloat(x.dtype))
    .map((x) => {
      const weights = np.reshape(np.array(Array.from({ length: x.size }, (_, i) => (i % 5) - 1.5)), x.shape)
      return np.sum(np.multiply(np.where(np.isfinite(x), x, 0), weights))
    })
  return sums.reduce((a, b) => np.add(a, b))
}

/** Where differences are those of rounding, larger numbers that cancel leave an error of their own size. */
const absoluteOf = (ulps: number, expected: Encoded): number =>
  ulps === 0 ? 0 : ulps * 1.2e-7 * Math.max(0, ...expected.data.map((x) => Math.abs(Number(x))).filter(Number.isFinite))

test.each(sections)("%s have JAX's values and gradients", (section) => {
  const found = cases[section].flatMap((one, i) => {
    const { ulps = 0 } = one
    const where = `${section}[${i}] ${one.fn} ${JSON.stringify(one.options ?? {})}`
    try {
      const { run, floats } = callOf(one)
      const out = run(...floats)
      const wrong: (string | undefined)[] =
        out.length === one.expected.length
          ? one.expected.map((leaf, k) => mismatch(out[k]!, leaf, { ulps, absolute: absoluteOf(ulps, leaf) }))
          : [`${out.length} results instead of ${one.expected.length}`]
      if (one.gradients !== undefined) {
        const grads = grad((...xs: NDArray[]) => total(run(...xs)), { argnums: floats.map((_, k) => k) })(
          ...floats,
        ) as NDArray[]
        wrong.push(
          ...one.gradients.map((leaf, k) => {
            const text = gradientMismatch(grads[k]!, leaf, { ulps, absolute: absoluteOf(ulps, leaf) })
            return text === undefined ? undefined : `gradient ${k}: ${text}`
          }),
        )
      }
      return wrong.filter((text) => text !== undefined).map((text) => `${where}: ${text}`)
    } catch (error) {
      return [`${where}: ${String(error)}`]
    }
  })
  expect(found).toEqual([])
})

/** How the functions that do not take single arrays are called with arrays of given types. */
const calls: Readonly<Record<string, (...arrays: NDArray[]) => NDArray>> = {
  concatenate: (...arrays) => np.concatenate(arrays),
  stack: (...arrays) => np.stack(arrays),
  matmul: (x, y) => np.matmul(x!, y!),
  kron: (x, y) => np.kron(x!, y!),
  sort: (x) => np.sort(x!),
  argsort: (x) => np.argsort(x!),
  trace: (x) => np.trace(np.stack([x!, x!])),
}
const { operations } = golden<{
  readonly operations: readonly {
    readonly op: string
    readonly types: readonly (readonly (string | number | boolean)[])[]
  }[]
}>('promotion')

test('joining, multiplying and sorting give the types of JAX', () => {
  const typed = (type: string): NDArray =>
    decode({
      dtype: type.replace('*', '') as 'int32',
      shape: [2],
      data: [1, 1],
      ...(type.endsWith('*') && { weakType: true }),
    })
  const found = operations
    .filter(({ op }) => Object.hasOwn(calls, op))
    .flatMap(({ op, types }) =>
      types.flatMap((row) => {
        const names = row.map(String)
        // what JAX refuses there are scalars, which are vectors here
        if (names.at(-1) === 'error') return []
        const got = typeName(calls[op]!(...names.slice(0, -1).map(typed)))
        return got === names.at(-1) ? [] : [`${op}(${names.slice(0, -1).join(', ')}) gives ${got}, not ${names.at(-1)}`]
      }),
    )
  expect(found).toEqual([])
})
