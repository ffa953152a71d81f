/** The errors that users meet: each a class with data, all worded in one place. */

/** The root of every error that Fluxion throws on purpose. */
export class FluxionError extends Error {
  override get name(): string {
    return this.constructor.name
  }
}

/** Shapes that do not fit an operation. */
export class ShapeError extends FluxionError {}
/** A dtype that an operation, a device or a transformation cannot take. */
export class DtypeError extends FluxionError {}
/** An index that is not one: out of range where that is an error, of floats, or with too many axes. */
export class IndexError extends FluxionError {}
/** An option that does not exist, or a value that an option cannot have. */
export class OptionError extends FluxionError {}
/** A concrete value was asked of an array that is being traced. */
export class ConcretizationError extends FluxionError {}
/** A tracer outlived the function that it was made for. */
export class LeakedTracerError extends FluxionError {}
/** A loop's body returns a carry of another type than it was given. */
export class CarryMismatchError extends FluxionError {}
/** A primitive has no rule for a transformation, or none can exist. */
export class MissingRuleError extends FluxionError {}
/** A device is missing, lost, out of memory, or was asked for what it cannot do; also a buffer that was donated or disposed of. */
export class DeviceError extends FluxionError {}
/** A NaN was found while `debugNans` was on. */
export class NonFiniteError extends FluxionError {}

/** A tree of another structure than expected, or a leaf that is no array; `path` leads to it. */
export class TreeError extends FluxionError {
  readonly path: string
  constructor(message: string, path = '') {
    super(message)
    this.path = path
  }
}

/** A data file that is missing, truncated, of the wrong format, or holds values that cannot be. */
export class DataFormatError extends FluxionError {
  readonly file: string
  readonly dataset: string | undefined
  readonly index: number | undefined
  constructor(message: string, where: { file: string; dataset?: string; index?: number }) {
    const place = [where.file, where.dataset, where.index === undefined ? undefined : `[${where.index}]`]
    super(`${place.filter((part) => part !== undefined).join(' ')}: ${message}`)
    this.file = where.file
    this.dataset = where.dataset
    this.index = where.index
  }
}

/** A fault of Fluxion's own: never the caller's. */
export class InvariantError extends FluxionError {}

/** Word a misuse as all of them are worded: `where: expected X, got Y`, then the remedy on a line of its own. */
export const misuse = (where: string, expectation: string, got: string, hint?: string): string =>
  `${where}: expected ${expectation}, got ${got}${hint === undefined ? '' : `\nhint: ${hint}`}`

/** Assert what must hold if Fluxion itself is right. */
export function invariant(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition)
    throw new InvariantError(`${typeof message === 'string' ? message : message()} (this is a bug in Fluxion)`)
}

/** Refuse options that a function does not have, naming those that it has. */
export function checkOptions(where: string, options: object | undefined, known: readonly string[]): void {
  // In untyped code a position may stand where JAX has it: `np.sum(x, 0)`.
  if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options))) {
    const shown = Array.isArray(options) ? `[${String(options)}]` : String(options)
    const example = known.length === 0 ? undefined : `${where}(…, { ${known[0]}: … })`
    throw new OptionError(misuse(where, 'options in a record', shown, example))
  }
  for (const name in options) {
    if (!known.includes(name)) {
      const list = known.length === 0 ? 'it takes no options' : `its options are ${known.join(', ')}`
      throw new OptionError(misuse(where, 'known options', `'${name}'`, list))
    }
  }
}
