/** Folding: operations whose operands are all numbers in the program are computed at once, by the reference rule. */
import {
  type Aval,
  type Equation,
  type HostArray,
  Literal,
  type Primitive,
  allocate,
  isEffectful,
  roundBfloat,
  roundHalf,
} from '@fluxion/core'
import { sizeOf, typesOf } from './rewrite.ts'

/** A number as a host array of rank 0. */
function hostOf({ value, aval }: Literal): HostArray {
  const data = allocate(aval.dtype, 1)
  data[0] = aval.dtype === 'float16' ? roundHalf(value) : aval.dtype === 'bfloat16' ? roundBfloat(value) : value
  return { shape: [], dtype: aval.dtype, data }
}
const refuseRun = (): never => {
  throw new Error('an operation that holds a program is not folded')
}

/** The results of an operation on numbers, if they are scalars too. */
export function foldLiterals(equation: Equation): readonly Literal[] | undefined {
  const { primitive, inputs, params } = equation
  if (inputs.length === 0 || !inputs.every((atom) => atom instanceof Literal) || isEffectful(equation)) return undefined
  const outs: readonly Aval[] = typesOf(primitive, inputs, params)
  if (outs.some(({ shape }) => sizeOf(shape) !== 1 || shape.length > 0)) return undefined
  const results = (primitive as unknown as Primitive).reference(
    inputs.map((atom) => hostOf(atom as Literal)),
    params,
    outs,
    refuseRun,
  )
  return results.map(({ data }, i) => new Literal(data[0]!, outs[i]!))
}
