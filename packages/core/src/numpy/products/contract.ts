/** Products of two arrays whose axes carry labels: what matrix products and `einsum` are made of. */
import type { NDArray } from '../../array.ts'
import { type DType, type Typed, checkDtype, promote } from '../../dtype.ts'
import { OptionError, checkOptions, misuse } from '../../errors.ts'
import { dotGeneral } from '../../primitive/dot.ts'
import { convert } from '../../primitive/elementwise.ts'
import { transpose } from '../../primitive/movement.ts'

export interface ProductOptions {
  /** The dtype in which products are summed, and that of the result. */
  preferredElementType?: DType
  /** How exact products have to be, as in JAX; every back end has the highest precision, so that none makes a difference. */
  precision?: 'default' | 'high' | 'highest' | null
}
const precisions: readonly unknown[] = [undefined, null, 'default', 'high', 'highest']
/** Check the options that all products share. */
export function checkProduct(where: string, options: ProductOptions, more: readonly string[] = []): void {
  checkOptions(where, options, ['preferredElementType', 'precision', ...more])
  if (!precisions.includes(options.precision)) {
    throw new OptionError(
      misuse(where, "a precision of 'default', 'high' or 'highest'", `'${String(options.precision)}'`),
    )
  }
  if (options.preferredElementType !== undefined) checkDtype(where, options.preferredElementType)
}

/** The type of a product's result: the preferred one, or what promotion gives. */
export const productType = (x: NDArray, y: NDArray, { preferredElementType: dtype }: ProductOptions): Typed =>
  dtype === undefined ? promote([x, y]) : { dtype, weakType: false }

/** An array with a label for each of its axes. */
export type Labelled = readonly [x: NDArray, labels: readonly string[]]

/**
 * Multiply two arrays of one dtype: along labels that both have and the result has not products are summed, labels that all three have
 * are batch axes. A label that only one of the two has must be in the result.
 */
export function contract(
  [x, p]: Labelled,
  [y, q]: Labelled,
  out: readonly string[],
  { dtype, weakType }: Typed,
): NDArray {
  const shared = p.filter((label) => q.includes(label))
  const batch = shared.filter((label) => out.includes(label))
  const summed = shared.filter((label) => !out.includes(label))
  const axes = (labels: readonly string[], of: readonly string[]): number[] => labels.map((label) => of.indexOf(label))
  const product = dotGeneral(
    x,
    y,
    [
      [axes(summed, p), axes(summed, q)],
      [axes(batch, p), axes(batch, q)],
    ],
    dtype,
  )
  const order = [...batch, ...[...p, ...q].filter((label) => !shared.includes(label))]
  return convert(transpose(product, axes(out, order)), dtype, weakType)
}
