/** Result types against real JAX. */
import { expect, test } from 'vitest'
import { type ArrayLike, NDArray } from '../array.ts'
import type { DType } from '../dtype.ts'
import '../setup.ts'
import { type Encoded, decode, golden, mismatch, typeName } from './golden.testing.ts'
import * as np from './index.ts'

type Operand = string | number | boolean
interface Creation {
  readonly op: string
  readonly args?: readonly number[]
  readonly isFloat?: readonly boolean[]
  readonly dtype?: DType
  readonly endpoint?: boolean
  readonly expected: Encoded
}
const file = golden<{
  readonly pairs: readonly (readonly [string, string, string])[]
  readonly pairsWithFloat64Enabled: readonly (readonly [string, string, string])[]
  readonly scalars: readonly (readonly [Operand, Operand, string, string])[]
  readonly operations: readonly {
    readonly op: string
    readonly on?: string
    readonly types: readonly (readonly Operand[])[]
  }[]
  readonly creation: readonly Creation[]
}>('promotion')

/** An operand of a named type. */
function operand(type: Operand, shape: readonly number[] = []): ArrayLike {
  if (typeof type !== 'string') return type
  const dtype = type.replace('*', '') as DType
  const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 1)
  return decode({ dtype, shape, data, ...(type.endsWith('*') && { weakType: true }) })
}

const product = (a: Operand, b: Operand): string => typeName(np.multiply(operand(a), operand(b)))

test('pairs of arrays promote as in JAX', () => {
  expect(file.pairs.map(([a, b]) => [a, b, product(a, b)])).toEqual(file.pairs)
})

test('pairs with float64 promote as in JAX', () => {
  const known = file.pairsWithFloat64Enabled.filter((row) => row.every((type) => !/int64|float64\*/.test(type)))
  expect(known.length).toBeGreaterThan(60)
  expect(known.map(([a, b]) => [a, b, product(a, b)])).toEqual(known)
})

test('numbers and booleans beside arrays promote as in JAX', () => {
  // two numbers by themselves are floats here: JavaScript does not tell 2 from 2.0
  const known = file.scalars.filter(([a, b]) => typeof a !== 'number' || typeof b !== 'number')
  expect(known.map(([a, b]) => [a, b, product(a, b), product(b, a)])).toEqual(known)
})

test('a number by itself is a weak float', () => {
  expect(typeName(np.multiply(2, 3))).toBe('float32*')
  expect(typeName(np.sin(1))).toBe('float32*')
})

test('every function gives the types of JAX', () => {
  const wrong: string[] = []
  let checked = 0
  for (const { op, on, types } of file.operations) {
    const f = (np as unknown as Record<string, ((...args: never[]) => unknown) | undefined>)[op]
    // functions of `nn` are tested there, those of lists of arrays with the other functions that move elements
    if (f === undefined || ['concatenate', 'stack', 'sort', 'argsort', 'trace', 'matmul', 'kron'].includes(op)) continue
    for (const row of types) {
      const [operands, expected] = [row.slice(0, -1), String(row.at(-1))]
      const args = operands.map((type) => operand(type, on === undefined ? [] : [2]))
      if (op === 'where') args.unshift(true)
      if (op === 'clip' && args.length === 2) args.push(args[1]!)
      let got: string
      try {
        const result = f(...(args as never[]))
        got = result instanceof NDArray ? typeName(result) : 'no array'
      } catch {
        got = 'error'
      }
      checked++
      // Comparisons of weak operands are weak booleans in JAX, a distinction without effect, and JAX looks at the value of an
      // exponent that is a concrete integer, where types alone decide here.
      if (op === 'power' && /int/.test(String(operands[1]))) continue
      if (got !== expected.replace('bool*', 'bool'))
        wrong.push(`${op}(${operands.join(', ')}) gives ${got}, not ${expected}`)
    }
  }
  expect(wrong).toEqual([])
  expect(checked).toBeGreaterThan(500)
})

const made: Readonly<Record<string, () => NDArray>> = {
  zeros: () => np.zeros([2]),
  ones: () => np.ones([2]),
  eye: () => np.eye(2),
  'full with 1.5': () => np.full([2], 1.5),
  'full with true': () => np.full([2], true),
  tri: () => np.tri(2),
  'array of a number 1.5': () => np.array(1.5),
}

test('constructors give the values and types of JAX', () => {
  let checked = 0
  const wrong: string[] = []
  for (const { op, args, dtype, endpoint, expected, ...row } of file.creation) {
    const options = { ...(dtype && { dtype }), ...(endpoint !== undefined && { endpoint }) }
    // a float that is integral cannot be told from an integer here
    const integral = args?.every(Number.isInteger) === true && row.isFloat?.some(Boolean) === true
    const run =
      op === 'arange' && !integral
        ? () => np.arange(...(args as [number, number, number]), options)
        : op === 'linspace'
          ? () => np.linspace(...(args as [number, number, number]), options)
          : made[op]
    if (run === undefined) continue
    const result = run()
    const found = mismatch(result, expected, { ulps: 1 })
    if (found !== undefined) wrong.push(`${op}(${args?.join()}) ${JSON.stringify(options)}: ${found}`)
    if (result.weakType !== (expected.weakType === true)) wrong.push(`${op}: ${typeName(result)}`)
    checked++
  }
  expect(wrong).toEqual([])
  expect(checked).toBeGreaterThan(25)
})
