// The words of a progress bar: times, rates, metrics, and the line that holds them.

/** Write seconds as `mm:ss`, or `h:mm:ss` from an hour on; `?` if they are not known. */
export const formatTime = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return '?'
  const whole = Math.max(0, Math.round(seconds))
  const two = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), two(Math.floor(whole / 60) % 60)]
  return `${hours > 0 ? `${hours}:` : ''}${minutes}:${two(whole % 60)}`
}

/** Write how many steps a second are done, or, of slow ones, how many seconds a step takes. */
export const formatRate = (perSecond: number, unit: string): string => {
  if (!Number.isFinite(perSecond) || perSecond <= 0) return `? ${unit}/s`
  return perSecond >= 1 ? `${perSecond.toFixed(2)} ${unit}/s` : `${(1 / perSecond).toFixed(2)} s/${unit}`
}

/** Write a metric with four significant digits, trailing zeros included, so that the line does not jump. */
export const formatMetric = (value: number): string => {
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value)
  const size = Math.abs(value)
  return size >= 1e-3 && size < 1e5 ? value.toPrecision(4) : value.toExponential(2)
}

/** What a line of progress tells. */
export interface Progress {
  readonly message: string
  readonly done: number
  readonly total: number
  /** Seconds since the start. */
  readonly elapsed: number
  /** Steps a second, NaN while not known. */
  readonly rate: number
  readonly unit: string
  readonly metrics: Readonly<Record<string, number>>
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** Draw a bar of a width in characters, filled in steps of an eighth of a character. */
export const formatBar = (part: number, width: number): string => {
  const filled = Math.round(Math.min(1, Math.max(0, part)) * width * 8)
  const full = '█'.repeat(Math.floor(filled / 8)) + (eighths[filled % 8] ?? '')
  return full.padEnd(width)
}

/**
 * Write one line of progress that fits into `columns` characters.
 *
 * The bar takes what room the rest leaves, 30 characters at most; where there is none for it, it is left out, and what
 * is still too long is cut off.
 */
export const formatLine = (progress: Progress, columns: number): string => {
  const { message, done, total, elapsed, rate, unit, metrics } = progress
  const part = total === 0 ? 1 : done / total
  const remaining = done >= total ? 0 : (total - done) / rate
  const counts = `${done}/${total} [${formatTime(elapsed)}<${formatTime(remaining)}, ${formatRate(rate, unit)}`
  const postfix = Object.entries(metrics).map(([name, value]) => `, ${name}=${formatMetric(value)}`)
  const before = `${message}${message === '' ? '' : ': '}${String(Math.floor(part * 100)).padStart(3)}%`
  const after = `${counts}${postfix.join('')}]`
  const room = Math.min(30, columns - before.length - after.length - 3)
  const line = room < 3 ? `${before} ${after}` : `${before}|${formatBar(part, room)}| ${after}`
  return line.slice(0, Math.max(0, columns))
}
