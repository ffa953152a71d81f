// The error of this package and the checks that raise it.

/**
 * Input that cannot be drawn: names the function, what it expected, what it got, and the remedy.
 *
 * @example
 * ```ts
 * import { curve, PlotError } from '@fluxion/plot'
 * const attempt = () => { try { return curve([0, 1, 2], [5, 6]) } catch (error) { return error } }
 * attempt() instanceof PlotError // => true
 * ```
 */
export class PlotError extends Error {
  override readonly name = 'PlotError'
  /** The function that was given the bad input. */
  readonly where: string

  constructor(where: string, expected: string, got: string, hint?: string) {
    super(`${where}: expected ${expected}, got ${got}${hint === undefined ? '' : `\nhint: ${hint}`}`)
    this.where = where
  }
}

/** Refuse keys of `options` that are not among `known`, so that a misspelt option is not silently ignored. */
export const checkOptions = (where: string, options: object, known: readonly string[]): void => {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    throw new PlotError(where, `options among ${known.join(', ')}`, `'${unknown}'`, 'check the spelling of the option')
  }
}

/** Refuse a value that is not one of `known`. */
export const checkChoice = (where: string, option: string, value: unknown, known: readonly unknown[]): void => {
  if (value !== undefined && !known.includes(value)) {
    throw new PlotError(where, `${option} to be one of ${known.join(', ')}`, String(value))
  }
}

/** Refuse a number that is not finite and greater than zero. */
export const checkPositive = (where: string, option: string, value: number | undefined): void => {
  if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
    throw new PlotError(where, `${option} to be a number above zero`, String(value))
  }
}

/** Refuse limits that are not an increasing pair of finite numbers. */
export const checkLimits = (where: string, option: string, value: readonly number[] | undefined): void => {
  if (value === undefined) return
  const [low, high] = value
  if (value.length !== 2 || !Number.isFinite(low) || !Number.isFinite(high) || !(low! < high!)) {
    throw new PlotError(where, `${option} to be [low, high] with low < high`, `[${value.join(', ')}]`)
  }
}
