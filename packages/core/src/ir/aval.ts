/** Abstract values: what a program knows of an array before it runs. */
import { type DType, dtypes } from '../dtype.ts'
import { type Shape, sameShape } from '../shape.ts'

export interface Aval {
  readonly shape: Shape
  readonly dtype: DType
  readonly weakType: boolean
}

export const aval = (shape: Shape, dtype: DType, weakType = false): Aval => ({ shape, dtype, weakType })
/** Print as programs do: `f32[2,3]`. */
export const showAval = ({ shape, dtype }: { readonly shape: Shape; readonly dtype: DType }): string =>
  `${dtypes[dtype].short}[${shape.join(',')}]`
/** The same with the weakness shown, for messages in which it matters. */
export const showFullAval = (a: Aval): string => showAval(a) + (a.weakType ? ' (weak)' : '')
export const sameAval = (a: Aval, b: Aval): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape)
export const sameFullAval = (a: Aval, b: Aval): boolean => a.weakType === b.weakType && sameAval(a, b)
/** A key that two abstract values share exactly when they are the same, weakness included. */
export const avalKey = (a: Aval): string => `${a.dtype}${a.weakType ? '*' : ''}[${a.shape.join(',')}]`
export const strong = (a: Aval): Aval => (a.weakType ? { ...a, weakType: false } : a)
