// An axis: the map from data to pixels, and where the ticks stand and what they say.
import { scaleLinear, scaleLog } from 'd3-scale'

/** Places of ticks, or places with their texts. */
export type Ticks = readonly number[] | readonly (readonly [number, string])[]

/** Write ticks as places with texts, or as places alone. */
export const splitTicks = (ticks: Ticks): { readonly at: readonly number[]; readonly texts?: readonly string[] } => {
  const named = ticks.filter((tick) => typeof tick !== 'number')
  if (named.length === 0) return { at: ticks as readonly number[] }
  return { at: named.map(([at]) => at), texts: named.map(([, text]) => text) }
}

export interface Tick {
  readonly at: number
  readonly text: string
}
export interface Axis {
  readonly log: boolean
  readonly domain: readonly [number, number]
  readonly toPixel: (value: number) => number
  readonly ticks: readonly Tick[]
}
export interface AxisPlan {
  readonly log: boolean
  readonly domain: readonly [number, number]
  /** Whether only whole numbers occur, so that a tick between them would mean nothing. */
  readonly whole: boolean
  readonly ticks: Ticks | undefined
}

/** Widen an extent a little on both sides, so that no data lie on the frame. */
export const padDomain = (
  [low, high]: readonly [number, number],
  log: boolean,
  part: number,
): readonly [number, number] => {
  if (!(low <= high)) return log ? [1, 10] : [0, 1] // nothing to show
  if (log) {
    const pad = high / low < 1 + 1e-9 ? Math.LN2 : part * Math.log(high / low)
    return [low * Math.exp(-pad), high * Math.exp(pad)]
  }
  // Values that differ by rounding alone, or by less than the ticks can count in, would make a scale without width.
  const size = Math.max(Math.abs(low), Math.abs(high))
  const flat = high - low <= Math.max(1e-9 * size, 1e-200)
  const pad = flat ? (size > 1e-200 ? 0.1 * size : 0.5) : part * (high - low)
  return [low - pad, high + pad]
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const powerOfTen = (exponent: number): string => {
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)])
  return `10${exponent < 0 ? '⁻' : ''}${digits.join('')}`
}
const plain = (value: number): string => String(Number(value.toPrecision(6))).replace('-', '−')

const logTicks = ([low, high]: readonly [number, number], count: number): readonly Tick[] => {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)]
  const decades = last - first + 1
  if (decades >= 2) {
    const stride = Math.ceil(decades / count)
    const exponents = Array.from({ length: Math.ceil(decades / stride) }, (_, i) => first + i * stride)
    return exponents.map((exponent) => ({ at: 10 ** exponent, text: powerOfTen(exponent) }))
  }
  // Less than two powers of ten in sight: their simple multiples, or even steps where those are too few as well.
  const multiples = [first - 1, first].flatMap((exponent) => [1, 2, 3, 5].map((k) => k * 10 ** exponent))
  const seen = multiples.filter((at) => at >= low && at <= high)
  const ticks =
    seen.length >= 3
      ? seen
      : scaleLinear([low, high], [0, 1])
          .ticks(count)
          .filter((at) => at > 0)
  return ticks.map((at) => ({ at, text: plain(at) }))
}

const linearTicks = ({ domain, whole }: AxisPlan, count: number): readonly Tick[] => {
  const scale = scaleLinear(domain, [0, 1])
  const places = scale.ticks(count).filter((at) => !whole || Number.isInteger(at))
  const largest = Math.max(...places.map(Math.abs))
  const step = (places[1] ?? Infinity) - (places[0] ?? 0)
  const scientific = largest >= 1e6 || (largest > 0 && step < 1e-4)
  const format = scientific ? scale.tickFormat(count, '~e') : whole ? plain : scale.tickFormat(count)
  return places.map((at) => ({ at, text: at === 0 && scientific ? '0' : format(at) }))
}

/** Build the axis between two pixels, with about `count` ticks. */
export const buildAxis = (plan: AxisPlan, from: number, to: number, count: number): Axis => {
  const { log, domain, ticks } = plan
  const scale = log ? scaleLog(domain, [from, to]) : scaleLinear(domain, [from, to])
  const automatic = log ? logTicks(domain, count) : linearTicks(plan, count)
  return { log, domain, toPixel: (value) => scale(value), ticks: ticks ? givenTicks(ticks, plan) : automatic }
}

const givenTicks = (ticks: Ticks, { domain: [low, high] }: AxisPlan): readonly Tick[] => {
  const { at, texts } = splitTicks(ticks)
  return at
    .map((place, i) => ({ at: place, text: texts?.[i] ?? plain(place) }))
    .filter((t) => t.at >= low && t.at <= high)
}

/** Places of the small ticks between the powers of ten, if those are not too many. */
export const minorTicks = ({ log, domain: [low, high] }: Axis): readonly number[] => {
  const [first, last] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high))]
  if (!log || last - first < 1 || last - first > 8) return []
  const places = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i))
  return places
    .flatMap((power) => [2, 3, 4, 5, 6, 7, 8, 9].map((k) => k * power))
    .filter((at) => at >= low && at <= high)
}
