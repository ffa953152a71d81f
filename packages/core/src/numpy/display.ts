/** Arrays as text, as JAX and NumPy print them: `Array([1., 2.], dtype=float32)`. */
import type { TypedArray } from '../backend/interface.ts'
import { roundBfloat, roundHalf } from '../backend/reference/host.ts'
import { type DType, isFloat } from '../dtype.ts'
import type { Aval } from '../ir/aval.ts'
import { type Shape, range, sizeOf, stridesOf } from '../shape.ts'

const prefix = 'Array('
const lineWidth = 75
/** Digits after the point that are shown at most. */
const precision = 8
/** Arrays of more elements are shown by three at each end of every axis. */
const threshold = 1000
const edge = 3

type Show = (value: number) => string

/** What is particular to printing a floating dtype. */
interface FloatFormat {
  readonly round: (value: number) => number
  /** Digits that always suffice to tell its numbers apart. */
  readonly digits: number
  /** Numbers from here on are written with an exponent. */
  readonly large: number
}
const floats: Partial<Readonly<Record<DType, FloatFormat>>> = {
  float16: { round: roundHalf, digits: 5, large: 1e3 },
  bfloat16: { round: roundBfloat, digits: 4, large: Infinity },
  float32: { round: Math.fround, digits: 9, large: 1e6 },
  float64: { round: (value) => value, digits: 17, large: 1e8 },
}

/** The decimal with the fewest digits that rounds to a number of the dtype. */
function shortest(value: number, { round, digits }: FloatFormat): number {
  if (digits === 17 || value === 0 || !Number.isFinite(value)) return value
  for (let n = 1; n < digits; n++) {
    const candidate = Number(value.toPrecision(n))
    if (round(candidate) === value) return candidate
  }
  return Number(value.toPrecision(digits))
}

const fraction = (text: string): string => text.split('.')[1] ?? ''
const fixed = (size: number): [whole: string, fraction: string] => {
  const text = size.toFixed(precision)
  return [text.split('.')[0]!, fraction(text).replace(/0+$/, '')]
}
const scientific = (size: number, decimals: number): [mantissa: string, exponent: string] => {
  const [mantissa, exponent] = size.toExponential(decimals).split('e') as [string, string]
  return [decimals === 0 ? `${mantissa}.` : mantissa, `e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`]
}
/** Digits of a mantissa that are not zeros at its end, of at most eight. */
const mantissaDecimals = (size: number): number => {
  const shown = fraction(size.toExponential(precision).split('e')[0]!).replace(/0+$/, '').length
  return Math.min(shown, fraction(size.toExponential().split('e')[0]!).length)
}
const longest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, text.length), 0)
const most = (counts: readonly number[]): number => counts.reduce((a, b) => Math.max(a, b), 0)
const signOf = (value: number): string => (value < 0 || Object.is(value, -0) ? '-' : '')
const special = (value: number): string => (Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf')

/** How all elements of an array are written: with the same digits, and an exponent if sizes are extreme or far apart. */
function floatShow(given: readonly number[], format: FloatFormat): Show {
  const values = given.map((value) => shortest(value, format))
  const finite = values.filter(Number.isFinite)
  const sizes = finite.map(Math.abs).filter((size) => size !== 0)
  const [large, small] = [most(sizes), sizes.reduce((a, b) => Math.min(a, b), Infinity)]
  const exponential = sizes.length > 0 && (large >= format.large || small < 1e-4 || large / small > 1000)
  const decimals = most(finite.map((value) => (exponential ? mantissaDecimals : decimalsOf)(Math.abs(value))))
  const write = (value: number): string => {
    if (!Number.isFinite(value)) return special(value)
    // further digits than the shortest are those of the exact value
    if (exponential) return signOf(value) + scientific(Math.abs(value), decimals).join('')
    const [whole, rest] = fixed(Math.abs(shortest(value, format)))
    // zeros would claim digits that are not known, so a short fraction is filled up with blanks
    return `${signOf(value)}${whole}.${rest.padEnd(decimals)}`
  }
  const width = longest(given.map(write))
  return (value) => write(value).padStart(width)
}
const decimalsOf = (size: number): number => fixed(size)[1].length

/** bfloat16 is no type of NumPy's own: its numbers are written one by one, with six digits. */
function bfloatShow(value: number): string {
  if (!Number.isFinite(value)) return special(value)
  const text = value.toPrecision(6)
  const exponent = value === 0 ? 0 : Number(value.toExponential(5).split('e')[1])
  if (exponent >= -4 && exponent < 6) return signOf(value) + trimmed(Math.abs(Number(text)).toFixed(5 - exponent))
  const [mantissa, power] = scientific(Math.abs(value), 5)
  return signOf(value) + trimmed(mantissa) + power
}
const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** How the elements of an array are written, given those that are shown. */
function showOf({ dtype, shape }: Aval, shown: readonly number[]): Show {
  if (dtype === 'bool') return (value) => (value === 0 ? 'False' : 'True').padStart(shape.length === 0 ? 0 : 5)
  if (dtype === 'bfloat16') return bfloatShow
  if (isFloat(dtype)) return floatShow(shown, floats[dtype]!)
  const width = longest(shown.map(String))
  return (value) => String(value).padStart(width)
}

/** Indices along an axis that are shown; -1 stands for those left out. */
function shownAlong(size: number, summarised: boolean): number[] {
  if (!summarised || size <= 2 * edge) return range(size)
  return [...range(edge), -1, ...range(edge, size - edge)]
}

/** Lines of words, each line at most so wide; all but the first are indented. */
function wrap(words: readonly string[], indent: string, width: number): string {
  const lines: string[] = []
  let line = indent
  words.forEach((word, i) => {
    // the last word needs no room for a comma, but for the bracket that is counted by the caller
    if (line.length + word.length > (i === words.length - 1 ? width : width - 1)) {
      lines.push(line.trimEnd())
      line = indent
    }
    line += i === words.length - 1 ? word : `${word}, `
  })
  return [...lines, line].join('\n').slice(indent.length)
}

/** Elements in brackets, row by row. */
function rows(data: TypedArray, shape: Shape, show: Show, summarised: boolean): string {
  const strides = stridesOf(shape)
  const build = (axis: number, offset: number, indent: string, width: number): string => {
    if (axis === shape.length) return show(data[offset]!)
    const parts = shownAlong(shape[axis]!, summarised).map((i) =>
      i < 0 ? '...' : build(axis + 1, offset + i * strides[axis]!, `${indent} `, width - 1),
    )
    const left = shape.length - axis
    const inner = left === 1 ? wrap(parts, indent, width) : parts.join(`,${'\n'.repeat(left - 1)}${indent}`)
    return `[${inner}]`
  }
  return build(0, 0, ' '.repeat(prefix.length + 1), lineWidth - 1)
}

/** The elements that are shown, for the format that they share. */
function shownElements(data: TypedArray, shape: Shape, summarised: boolean): number[] {
  if (!summarised) return [...data]
  const strides = stridesOf(shape)
  const offsets = shape.reduce<number[]>(
    (list, size, axis) =>
      shownAlong(size, true)
        .filter((i) => i >= 0)
        .flatMap((i) => list.map((offset) => offset + i * strides[axis]!)),
    [0],
  )
  return offsets.map((offset) => data[offset]!)
}

/** An array as text: its elements, at most a thousand, its dtype, and whether it is weakly typed. */
export function showArray(data: TypedArray, aval: Aval): string {
  const { shape, dtype, weakType } = aval
  const type = `dtype=${dtype}${weakType ? ', weak_type=True' : ''}`
  const size = sizeOf(shape)
  const summarised = size > threshold
  const body =
    size === 0
      ? `[], shape=(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`
      : rows(data, shape, showOf(aval, shownElements(data, shape, summarised)), summarised)
  const lastLine = body.length - body.lastIndexOf('\n') + 1
  const gap = lastLine + type.length + 2 > lineWidth ? ' '.repeat(prefix.length) : ' '
  return `${prefix}${body},${gap}${type})`
}
