/** Helpers that turn the rules of most primitives into one line each. */
import type { NDArray } from '../array.ts'
import { DtypeError, MissingRuleError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { type Shape, sameShape } from '../shape.ts'
import { scalar } from '../trace.ts'
import { type BatchDim, Linear, type Primitive, type Tangent, Zero } from './define.ts'

/** The common shape of operands of which those of rank 0 broadcast. */
export function commonShape(where: string, args: readonly Aval[]): Shape {
  const shaped = args.find((arg) => arg.shape.length > 0)
  if (shaped === undefined) return []
  for (const arg of args) {
    if (arg.shape.length > 0 && !sameShape(arg.shape, shaped.shape)) {
      throw new ShapeError(
        misuse(
          where,
          'equal shapes',
          args.map(showAval).join(' and '),
          'np functions broadcast; lax.broadcastInDim does it by hand',
        ),
      )
    }
  }
  return shaped.shape
}
/** Check that dtypes agree, and give the result's dtype with weakness: weak if all are. */
export function commonType(where: string, args: readonly Aval[]): Aval {
  const shape = commonShape(where, args)
  const first = args[0]!
  if (args.some((arg) => arg.dtype !== first.dtype)) {
    throw new DtypeError(
      misuse(where, 'equal dtypes', args.map(showAval).join(' and '), 'np functions promote; x.astype(dtype) converts'),
    )
  }
  return aval(
    shape,
    first.dtype,
    args.every((arg) => arg.weakType),
  )
}

export const isZero = (t: Tangent): t is Zero => t instanceof Zero
export const isLinear = (x: NDArray | Linear): x is Linear => x instanceof Linear

/** The value of a linear operand cannot be asked for. */
export function known(where: string, x: NDArray | Linear): NDArray {
  if (x instanceof Linear)
    throw new MissingRuleError(`${where}: cannot be transposed with respect to this operand ${showAval(x.aval)}`)
  return x
}

type Jvp<P extends object> = NonNullable<Primitive<P>['jvp']>
type Transpose<P extends object> = NonNullable<Primitive<P>['transpose']>

/** The JVP of an operation with one operand that is linear: the operation itself. */
export const linearJvp =
  <P extends object>(f: (x: NDArray, params: P) => NDArray, out: (params: P, x: Aval) => Aval): Jvp<P> =>
  (primals, tangents, params) => {
    const [x, t] = [primals[0]!, tangents[0]!]
    return [[f(x, params)], [isZero(t) ? new Zero(out(params, x.aval)) : f(t, params)]]
  }

/** The transpose of an operation with one operand that is linear. */
export const linearTransposeOf =
  <P extends object>(f: (ct: NDArray, x: Aval, params: P) => NDArray): Transpose<P> =>
  (cts, args, params) => {
    const [ct, x] = [cts[0]!, args[0]!]
    return [isZero(ct) ? new Zero(x.aval) : f(ct, x.aval, params)]
  }

/** Operations that have no derivative, since their results do not vary smoothly. */
export const zeroJvp =
  <P extends object>(run: (args: readonly NDArray[], params: P) => readonly NDArray[]): Jvp<P> =>
  (primals, _, params) => {
    const outs = run(primals, params)
    return [outs, outs.map((out) => new Zero(out.aval))]
  }

/** A scalar of the dtype and weakness of `x`: it broadcasts in every elementwise operation. */
export const scalarLike = (x: NDArray, value: number): NDArray => scalar(value, x.dtype, x.weakType)

export const batched = (dim: BatchDim): dim is number => dim !== null
