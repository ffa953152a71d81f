/** The rules that operations share which are linear in each of two operands. */
import type { NDArray } from '../array.ts'
import type { DType } from '../dtype.ts'
import { dtypes } from '../dtype.ts'
import { DtypeError, misuse } from '../errors.ts'
import { type Aval, showAval } from '../ir/aval.ts'
import { Linear, type Primitive, type Tangent, Zero } from './define.ts'
import { isZero, known } from './rules.ts'
import { addTangents } from './zeros.ts'

type Rule<P extends object, K extends 'jvp' | 'transpose'> = NonNullable<Primitive<P>[K]>

/** d(x·y) = dx·y + x·dy. */
export const bilinearJvp =
  <P extends object>(multiply: (x: NDArray, y: NDArray, params: P) => NDArray): Rule<P, 'jvp'> =>
  ([x, y], [dx, dy], params): [NDArray[], Tangent[]] => {
    const out = multiply(x!, y!, params)
    const zero = new Zero(out.aval)
    const left = isZero(dx!) ? zero : multiply(dx!, y!, params)
    const right = isZero(dy!) ? zero : multiply(x!, dy!, params)
    return [[out], [addTangents(left, right)]]
  }

/** The cotangent of one operand from that of the product and the other operand. */
export type OperandTranspose<P extends object> = (ct: NDArray, x: Aval, y: NDArray, params: P) => NDArray

export const bilinearTranspose =
  <P extends object>(where: string, ofLeft: OperandTranspose<P>, ofRight: OperandTranspose<P>): Rule<P, 'transpose'> =>
  ([ct], [x, y], params) => {
    const pull = (operand: NDArray | Linear, other: NDArray | Linear, rule: OperandTranspose<P>): Tangent | null => {
      if (!(operand instanceof Linear)) return null
      return isZero(ct!) ? new Zero(operand.aval) : rule(ct!, operand.aval, known(where, other), params)
    }
    return [pull(x!, y!, ofLeft), pull(y!, x!, ofRight)]
  }

/** The dtype of a product: that of the operands, or one asked for that is of their kind and as wide, or a float for integers. */
export function productType(where: string, x: Aval, y: Aval, preferred: DType | undefined): DType {
  if (x.dtype !== y.dtype) {
    throw new DtypeError(
      misuse(
        where,
        'equal dtypes',
        `${showAval(x)} and ${showAval(y)}`,
        'np functions promote; x.astype(dtype) converts',
      ),
    )
  }
  if (preferred === undefined) return x.dtype
  const [from, to] = [dtypes[x.dtype], dtypes[preferred]]
  const fits = to.bits >= from.bits && (to.kind === from.kind || (to.kind === 'float' && from.kind !== 'bool'))
  if (!fits) throw new DtypeError(misuse(where, `a preferredElementType as wide as ${x.dtype}`, preferred))
  return preferred
}
