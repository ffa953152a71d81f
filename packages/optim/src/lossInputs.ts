/** What all losses ask of their arguments. */
import { type ArrayLike, type Axis, DtypeError, type NDArray, ShapeError, isFloat, misuse, np } from '@fluxion/core'

const show = (x: NDArray): string => `${x.dtype}[${x.shape.join(',')}]`

/** An argument as an array of floats. */
export function floats(where: string, name: string, x: ArrayLike): NDArray {
  const array = np.asarray(x)
  if (isFloat(array.dtype)) return array
  throw new DtypeError(misuse(where, `floats as ${name}`, show(array), "x.astype('float32') makes floats"))
}
/** Predictions less targets; the predictions if there are no targets. */
export function errorsOf(where: string, predictions: ArrayLike, targets: ArrayLike | null | undefined): NDArray {
  const given = floats(where, 'predictions', predictions)
  return targets === null || targets === undefined ? given : given.sub(targets)
}
/** Refuse targets of another shape, which would broadcast to a loss for every pair. */
export function checkSameShape(where: string, predictions: ArrayLike, targets: ArrayLike): void {
  const [a, b] = [np.asarray(predictions), np.asarray(targets)]
  if (a.ndim === b.ndim && a.shape.every((dim, i) => dim === b.shape[i])) return
  throw new ShapeError(misuse(where, 'targets of the shape of the predictions', `${show(b)} for ${show(a)}`))
}

export interface AxisOptions {
  /** The axis of the categories, several, or all (`null`); the last by default. */
  axis?: Axis
  /** bool[...]: which elements count. */
  where?: NDArray
}
/** The options of a reduction, with a mask that lacks the reduced axis given one. */
export function reduction({ axis = -1, where }: AxisOptions, like: NDArray): { axis: Axis; where?: NDArray } {
  if (where === undefined) return { axis }
  const missing = where.ndim !== like.ndim && axis !== null
  return { axis, where: missing ? np.expandDims(where, axis as number) : where }
}
