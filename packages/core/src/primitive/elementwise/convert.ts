/** Changes of dtype and of representation. */
import { ConcreteArray, type NDArray } from '../../array.ts'
import { type DType, bytesOf, dtypes, isFloat } from '../../dtype.ts'
import { DtypeError, OptionError, ShapeError, misuse } from '../../errors.ts'
import { aval, showAval } from '../../ir/aval.ts'
import { range } from '../../shape.ts'
import { bind1, scalar } from '../../trace.ts'
import { keepsSumsExactly, pointwise, shared } from '../axes.ts'
import { type Primitive, Zero, definePrimitive } from '../define.ts'
import { isZero } from '../rules.ts'
import { moved } from './broadcasting.ts'
import { exponentOf, fromBytes, toBytes } from './bits.ts'
import { type UnaryLoop, notZeroLoop } from './loops.ts'
import { type Unary, alignedBatch, checkAccepts, elements, filled, parametric, unary } from './table.ts'

interface ConvertParams {
  readonly newDtype: DType
  readonly weakType: boolean
}
const runConvert = (args: readonly NDArray[], params: ConvertParams): NDArray => bind1(convertPrimitive, args, params)
/** `x` in another dtype; `x` itself if nothing changes, and a number of the source stays one. */
export function convert(x: NDArray, dtype: DType, weakType = false): NDArray {
  if (x.dtype === dtype && x.weakType === weakType) return x
  if (x instanceof ConcreteArray && x.literal !== undefined && (isFloat(dtype) || x.dtype === dtype))
    return scalar(x.literal, dtype, weakType)
  return runConvert([x], { newDtype: dtype, weakType })
}

// Floats that an integer dtype cannot hold become its nearest number, and NaN 0; storing drops fractions. Integers wrap.
const saturate =
  ({ min, max }: { readonly min: number; readonly max: number }): UnaryLoop =>
  (out, x) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.min(Math.max(x[i]!, min), max)
  }
const copyLoop: UnaryLoop = (out, x) => out.set(x)

const convertPrimitive: Primitive<ConvertParams> = definePrimitive<ConvertParams>({
  name: 'convert_element_type',
  type: ([x], { newDtype, weakType }) => [aval(x!.shape, newDtype, weakType)],
  jvp([x], [t], params) {
    const out = runConvert([x!], params)
    // What is rounded to integers does not vary.
    return [
      [out],
      [isZero(t!) || !isFloat(params.newDtype) ? new Zero(out.aval) : convert(t!, params.newDtype, params.weakType)],
    ]
  },
  transpose: ([ct], [x]) => [
    isZero(ct!) || !isFloat(x!.aval.dtype) ? new Zero(x!.aval) : convert(ct!, x!.aval.dtype, x!.aval.weakType),
  ],
  batch: alignedBatch(runConvert),
  axes: (args, params, outs, derive) => [
    ...pointwise(args, params, outs, derive),
    ...keepsSumsExactly(args[0]!, outs[0]!),
  ],
  reference([x], { newDtype }, [out]) {
    const loop =
      newDtype === 'bool'
        ? notZeroLoop
        : isFloat(x!.dtype) && !isFloat(newDtype)
          ? saturate(dtypes[newDtype])
          : copyLoop
    return [filled(out!, (data) => loop(data, loop === copyLoop ? x!.data : elements(x!), x!.dtype))]
  },
})

export const copy: Unary = unary('copy', {
  accepts: 'any',
  run: copyLoop,
  jvp: [(t) => copy(t)],
  transpose: [(ct) => copy(ct)],
})

interface BitcastParams {
  readonly newDtype: DType
}
const runBitcast = (args: readonly NDArray[], params: BitcastParams): NDArray => bind1(bitcastPrimitive, args, params)
/** The bits of `x` read as another dtype; a narrower one adds a last axis, a wider one takes it away. */
export const bitcast = (x: NDArray, dtype: DType): NDArray => runBitcast([x], { newDtype: dtype })

const bitcastPrimitive: Primitive<BitcastParams> = definePrimitive<BitcastParams>({
  name: 'bitcast_convert_type',
  type([x], { newDtype }) {
    const { shape, dtype } = x!
    if ((dtype === 'bool' || newDtype === 'bool') && dtype !== newDtype) {
      throw new DtypeError(
        misuse('bitcast', 'no bool on one side only', `${showAval(x!)} to ${newDtype}`, "x.astype('uint8') converts"),
      )
    }
    const [from, to] = [bytesOf(dtype), bytesOf(newDtype)]
    if (from === to) return [aval(shape, newDtype)]
    if (from > to) return [aval([...shape, from / to], newDtype)]
    if (shape.at(-1) !== to / from) {
      throw new ShapeError(misuse('bitcast', `a last axis of ${to / from} for ${newDtype}`, showAval(x!)))
    }
    return [aval(shape.slice(0, -1), newDtype)]
  },
  jvp([x], _, params) {
    const out = runBitcast([x!], params)
    return [[out], [new Zero(out.aval)]]
  },
  batch([x], [dim], params) {
    // Only a change of width touches the last axis.
    const to = bytesOf(x!.dtype) === bytesOf(params.newDtype) ? dim! : 0
    return [[runBitcast([moved(x!, dim!, to)], params)], [to]]
  },
  // a last dimension of the parts of one number is not split
  axes: ([x], _, [out]) => {
    const rank = Math.min(x!.shape.length, out!.shape.length)
    return shared([x!], [out!], range(rank))
  },
  reference: ([x], { newDtype }, [out]) => [
    { shape: out!.shape, dtype: newDtype, data: fromBytes(toBytes(x!), newDtype) },
  ],
})

interface Precision {
  readonly exponentBits: number
  readonly mantissaBits: number
}
const reduceTo: (x: NDArray, params: Precision) => NDArray = parametric<Precision>('reduce_precision', {
  type(x, { exponentBits, mantissaBits }) {
    checkAccepts('reducePrecision', x, 'float')
    if (!(exponentBits >= 1) || !(mantissaBits >= 0)) {
      const expectation = 'at least one exponent bit and no negative number of mantissa bits'
      throw new OptionError(misuse('reducePrecision', expectation, `${exponentBits} and ${mantissaBits}`))
    }
    return x
  },
  jvp: (params) => (t) => reduceTo(t, params),
  transpose: (ct, _, params) => reduceTo(ct, params),
  run(out, { data, dtype }, { exponentBits, mantissaBits }) {
    const least = Math.log2(dtypes[dtype].tiny)
    const bias = 2 ** (exponentBits - 1) - 1
    const narrow = bias < 1 - least
    for (let i = 0; i < out.length; i++) {
      const x = data[i]!
      // The spacing of numbers near x with that many mantissa bits; the quotient is exact, so that it is rounded once.
      const step = 2 ** (Math.max(exponentOf(x), least) - mantissaBits)
      const rounded =
        Number.isFinite(x) && mantissaBits < -Math.log2(dtypes[dtype].eps) ? roundEven(x / step) * step : x
      const exponent = exponentOf(rounded)
      if (!narrow || !Number.isFinite(rounded)) out[i] = rounded
      else
        out[i] =
          exponent > bias
            ? Math.sign(x) * Infinity
            : exponent < 1 - bias
              ? x < 0 || Object.is(x, -0)
                ? -0
                : 0
              : rounded
    }
  },
})
/** The nearest whole number, ties to even, for |x| < 2^52: adding 2^52 and taking it away leaves no room for a fraction. */
const roundEven = (x: number): number => Math.sign(x) * (Math.abs(x) + 2 ** 52 - 2 ** 52)

/** `x` rounded to a format of fewer bits; what is too small for its normal numbers becomes zero. */
export const reducePrecision = (x: NDArray, exponentBits: number, mantissaBits: number): NDArray =>
  reduceTo(x, { exponentBits, mantissaBits })
