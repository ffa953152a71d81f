// Compares the value of an example's expression with the value written after `// =>`. Runs inside the generated tests.
import { format, inspect, isDeepStrictEqual } from 'node:util'

/** A number as it is written: equal to every number that rounds to it at its digits. */
export class Digits {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }

  matches(actual: unknown): boolean {
    if (typeof actual !== 'number') return false
    const [mantissa = '', exponent = '0'] = this.text.replaceAll('_', '').toLowerCase().split('e')
    const decimals = (mantissa.split('.')[1] ?? '').length - Number(exponent)
    const value = Number(this.text.replaceAll('_', ''))
    // half a unit of the last digit written, and what the subtraction itself may lose
    return Math.abs(actual - value) <= 0.5 * 10 ** -decimals + Number.EPSILON * Math.abs(value)
  }

  [inspect.custom](): string {
    return this.text
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)

/** Arrays of the library and typed arrays as nested lists; everything else as it is. */
const listed = (value: unknown): unknown => {
  if (isObject(value) && typeof value['toArray'] === 'function') return (value['toArray'] as () => unknown).call(value)
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Uint8Array) : value
}

/** Whether a value equals what an example writes: numbers at the digits written, arrays by their elements. */
export const equals = (actualValue: unknown, expectedValue: unknown): boolean => {
  const [actual, expected] = [listed(actualValue), listed(expectedValue)]
  if (expected instanceof Digits) return expected.matches(actual)
  if (typeof expected === 'number') return actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) && actual.length === expected.length && expected.every((item, i) => equals(actual[i], item))
    )
  }
  if (isPlain(expected)) {
    if (!isPlain(actual)) return false
    const keys = Object.keys(expected)
    return (
      isDeepStrictEqual(keys.toSorted(), Object.keys(actual).toSorted()) &&
      keys.every((key) => equals(actual[key], expected[key]))
    )
  }
  return isDeepStrictEqual(actual, expected)
}

const squeezed = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
const printed = (value: unknown): readonly string[] => [
  inspect(value, { depth: Infinity, maxArrayLength: Infinity }),
  ...(typeof value === 'string' || isObject(value) ? [String(value)] : []),
]

/** Whether an error is the one an example writes: `throws`, `Error: text` or `ShapeError: text`; the text may be a part of the message. */
const isTheError = (error: unknown, written: string): boolean => {
  const { name, text } = /^(?<name>\w+):?\s*(?<text>[\s\S]*)$/.exec(written)?.groups ?? {}
  if (!(error instanceof Error) || name === undefined) return false
  const named = name === 'throws' || name === 'Error' || error.name === name
  return named && squeezed(error.message).includes(squeezed(text ?? ''))
}

/** What the generated test of one file calls: `check` for every written value, `digits` for numbers inside written values. */
export interface Doctest {
  readonly check: (
    line: number,
    code: string,
    written: string,
    run: () => Promise<unknown>,
    expected?: () => unknown,
  ) => Promise<void>
  readonly digits: (text: string) => Digits
  /** In an example, `console.log` gives what it prints, so that `// =>` can stand after it. */
  readonly console: Readonly<Record<'log' | 'info' | 'warn' | 'error', (...values: readonly unknown[]) => string>>
}

/** Makes the checks for the examples of the file at `path`, which they name when they fail. */
export const doctest = (path: string): Doctest => {
  const fail = (line: number, code: string, written: string, got: string, cause?: unknown): never => {
    throw new Error(`${path}:${line}: ${code}\n  expected ${written}\n  got      ${got}`, { cause })
  }
  const print = (...values: readonly unknown[]): string => format(...values)
  return {
    digits: (text) => new Digits(text),
    console: { log: print, info: print, warn: print, error: print },
    check: async (line, code, written, run, expected) => {
      const outcome = await run().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      const wantsError = /^(?:throws\b|\w*Error\b)/.test(written)
      if ('error' in outcome) {
        if (!wantsError || !isTheError(outcome.error, written))
          fail(line, code, written, String(outcome.error), outcome.error)
        return
      }
      const forms = printed(outcome.value)
      if (!wantsError && forms.some((form) => squeezed(form) === squeezed(written))) return
      let value: unknown
      try {
        if (wantsError || expected === undefined) throw new Error('no value is written')
        value = expected()
      } catch (cause) {
        // what is written is a printed form, such as `Array([1, 2], dtype=float32)`, and differs
        return fail(line, code, written, forms[0] ?? '', cause)
      }
      if (!equals(outcome.value, value)) fail(line, code, written, forms[0] ?? '')
    },
  }
}
