// The doctests themselves: which blocks are found, how they are compiled, and that a wrong value makes them fail.
import { stripTypeScriptTypes } from 'node:module'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { doctest } from './check.ts'
import { compileExample } from './compile.ts'
import { examplesOf } from './extract.ts'
import { testFile } from './generate.ts'

type Body = (checks: unknown, log: unknown, fake: unknown) => Promise<void>
const AsyncFunction = (async () => {}).constructor as new (...parameters: string[]) => Body

/** Stands in for an array of the library. */
const fake = (values: readonly unknown[]): unknown => ({
  toArray: () => values,
  [inspect.custom]: () => `Array(${inspect(values)},\n  dtype=float32)`,
})

/** Runs an example as the generated test would. */
const runExample = async (code: string): Promise<void> => {
  const checks = doctest('a.ts')
  const body = new AsyncFunction('$doctest', 'console', 'fake', stripTypeScriptTypes(compileExample(code, 1)))
  await body(checks, checks.console, fake)
}

test.each([
  ['a number', '1 + 1 // => 2'],
  ['digits as they are written', '1 / 3 // => 0.3333'],
  ['digits after an exponent', '0.000123456 // => 1.23e-4'],
  ['a negative fraction', '[-1 / 3, 2] // => [-0.33, 2]'],
  ['NaN and infinity', '[0 / 0, 1 / 0] // => [NaN, Infinity]'],
  ['a string', `'a' + 'b' // => 'ab'`],
  ['an object', '({ a: [1, 2 / 3], b: null }) // => { a: [1, 0.67], b: null }'],
  ['an expression on the right', 'Math.sqrt(2) // => Math.SQRT2'],
  ['an array by its elements', 'fake([1, 2]) // => [1, 2]'],
  ['an array inside a tree', '({ w: fake([0.5]) }) // => { w: [0.5] }'],
  ['an array by its printed form', 'fake([1, 2]) // => Array([ 1, 2 ], dtype=float32)'],
  ['a typed array', 'new Float32Array([0.1]) // => [0.1]'],
  ['what the console prints', `console.log('a', 1) // => a 1`],
  ['a constant', 'const x = 2 * 3 // => 6\nx // => 6'],
  ['a constant with a type', 'const x: number = 2 * 3 // => 6'],
  ['a pattern', 'const [a, b] = [1, 2] // => [1, 2]'],
  ['a statement of several lines', 'Math.max(\n  1,\n  2,\n) // => 2'],
  ['a value on the next line', '[1, 2]\n// => [1, 2]'],
  ['a value of several lines', '[[1], [2]] // => [\n//   [1],\n//   [2],\n// ]'],
  ['an awaited value', 'await Promise.resolve(3) // => 3'],
  ['an error', 'null.x // => TypeError: Cannot read'],
  ['any error', `JSON.parse('{') // => throws`],
])('%s passes', async (_, code) => {
  await runExample(code)
})

test.each([
  ['a wrong number', '1 + 1 // => 3', 'a.ts:1: 1 + 1\n  expected 3\n  got      2'],
  ['a number that rounds otherwise', '1 / 3 // => 0.3334', 'expected 0.3334'],
  ['a whole number that is nearly right', '0.9999999 // => 1', 'expected 1'],
  ['a wrong length', 'fake([1, 2]) // => [1]', 'expected [1]'],
  ['a key too many', '({ a: 1, b: 2 }) // => { a: 1 }', 'expected { a: 1 }'],
  ['a wrong printed form', 'fake([1]) // => Array([ 1 ], dtype=int32)', 'expected Array([ 1 ], dtype=int32)'],
  ['an error that does not come', '1 // => Error: no', 'expected Error: no'],
  ['an error with another text', 'null.x // => TypeError: other', 'expected TypeError: other'],
  ['an error of another kind', 'null.x // => RangeError: Cannot', 'expected RangeError: Cannot'],
  ['an error that was not expected', 'null.x // => 1', 'expected 1'],
  ['a value on a later line', 'const x = 1\n\nx // => 2', 'a.ts:3: x'],
])('%s fails', async (_, code, message) => {
  await expect(runExample(code)).rejects.toThrow(message)
})

test('imports become awaited ones, without those of types', () => {
  const imports = `import { a, b as c, type D } from 'x'\nimport * as e from 'y'\nimport type { F } from 'z'\nimport g from 'w'\nimport 'v'`
  expect(compileExample(imports, 1).split('\n')).toEqual([
    `const { a: a, b: c } = await import("x");`,
    `const e = await import("y");`,
    `const { default: g } = await import("w");`,
    `await import("v");`,
  ])
})

test('a value after a statement that has none is refused', () => {
  expect(() => compileExample('if (true) {} // => 1', 7)).toThrow('line 7: a value may follow an expression')
})

test('blocks are found in documentation comments with their lines, and those marked no-run are not', () => {
  const source = [
    '/**',
    ' * Adds.',
    ' * @example',
    ' * ```ts',
    ' * const f = (x) => {',
    ' *   return x',
    ' * }',
    ' * f(1) // => 1',
    ' * ```',
    ' */',
    'export const text = `',
    '```ts',
    'outside()',
    '```',
    '`',
    '/**',
    ' * ```ts no-run',
    ' * never()',
    ' * ```',
    ' * ```sh',
    ' * never',
    ' * ```',
    ' */',
  ].join('\n')
  expect(examplesOf('packages/a/src/a.ts', source)).toEqual([
    { line: 5, code: 'const f = (x) => {\n  return x\n}\nf(1) // => 1' },
  ])
})

test('blocks are found in Markdown, indented ones too', () => {
  expect(examplesOf('README.md', 'Text\n\n- item\n  ```ts\n  1 // => 1\n  ```\n')).toEqual([
    { line: 5, code: '1 // => 1' },
  ])
})

test('an example that cannot be compiled becomes a test that fails', () => {
  expect(testFile('README.md', [{ line: 3, code: 'const = 1' }], './check.ts')).toContain(
    'throw new SyntaxError("README.md:3:',
  )
})
