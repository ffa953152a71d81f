/** The general product of two arrays: axes that are contracted, axes that both share, axes of one alone. */
import type { NDArray } from '../array.ts'
import type { HostArray, TypedArray } from '../backend/interface.ts'
import { hostZeros, roundTo } from '../backend/reference/host.ts'
import { asFloats, type Matrix, multiplyFloats, multiplyIntegers, offsetsOf } from '../backend/reference/matmul.ts'
import { type DType, dtypes, isFloat } from '../dtype.ts'
import { DtypeError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { inverse, range, stridesOf, without } from '../shape.ts'
import { bind1 } from '../trace.ts'
import { type BatchDim, definePrimitive, Linear, type Primitive, type Tangent, Zero } from './define.ts'
import { convert } from './elementwise.ts'
import { transpose } from './movement.ts'
import { isLinear, isZero } from './rules.ts'
import { addTangents } from './zeros.ts'

type Axes = readonly number[]
/** `[[contracted of lhs, of rhs], [batch of lhs, of rhs]]`; the result has the batch axes, the rest of lhs, the rest of rhs. */
export type DotDimensionNumbers = readonly [readonly [Axes, Axes], readonly [Axes, Axes]]
interface Params {
  readonly dimensionNumbers: DotDimensionNumbers
  readonly preferredElementType: DType | undefined
}

const where = 'dotGeneral'

/** The axes that are neither contracted nor batch axes, in order. */
const keptAxes = (rank: number, contracted: Axes, batch: Axes): number[] =>
  without(range(rank), [...contracted, ...batch])

/** Check one list of paired axes. */
function checkAxes(what: string, lhs: Aval, rhs: Aval, [left, right]: readonly [Axes, Axes]): void {
  const fits =
    left.length === right.length &&
    left.every((axis, i) => lhs.shape[axis] !== undefined && lhs.shape[axis] === rhs.shape[right[i]!])
  if (!fits) {
    const got = `axes [${left.join(',')}] of ${showAval(lhs)} and [${right.join(',')}] of ${showAval(rhs)}`
    throw new ShapeError(misuse(where, `${what} axes of equal sizes`, got))
  }
}
function checkDistinct(x: Aval, axes: Axes): void {
  if (new Set(axes).size !== axes.length) {
    throw new ShapeError(
      misuse(where, 'each axis contracted or shared once', `axes [${axes.join(',')}] of ${showAval(x)}`),
    )
  }
}

/** The dtype asked for must be of the operands' kind and as wide, or a float where they are integers. */
function resultType(dtype: DType, preferred: DType | undefined): DType {
  if (preferred === undefined || preferred === dtype) return dtype
  const [from, to] = [dtypes[dtype], dtypes[preferred]]
  const fits =
    to.kind === 'float' ? from.kind !== 'float' || to.bits > from.bits : from.kind === to.kind && to.bits >= from.bits
  if (!fits) throw new DtypeError(misuse(where, `a preferredElementType as wide as ${dtype}`, preferred))
  return preferred
}

function type(
  [lhs, rhs]: readonly Aval[],
  { dimensionNumbers: [contracted, batch], preferredElementType }: Params,
): Aval[] {
  if (lhs!.dtype !== rhs!.dtype) {
    const got = `${showAval(lhs!)} and ${showAval(rhs!)}`
    throw new DtypeError(misuse(where, 'equal dtypes', got, 'np functions promote; x.astype(dtype) converts'))
  }
  checkAxes('contracted', lhs!, rhs!, contracted)
  checkAxes('batch', lhs!, rhs!, batch)
  checkDistinct(lhs!, [...contracted[0], ...batch[0]])
  checkDistinct(rhs!, [...contracted[1], ...batch[1]])
  const pick = (x: Aval, axes: Axes) => axes.map((axis) => x.shape[axis]!)
  const shape = [
    ...pick(lhs!, batch[0]),
    ...pick(lhs!, keptAxes(lhs!.shape.length, contracted[0], batch[0])),
    ...pick(rhs!, keptAxes(rhs!.shape.length, contracted[1], batch[1])),
  ]
  return [aval(shape, resultType(lhs!.dtype, preferredElementType), lhs!.weakType && rhs!.weakType)]
}

/**
 * The cotangent of `x` in dot(x, y) or, with `swapped`, in dot(y, x): `ct` times `y`, over the axes that came from `y`.
 * The product's axes are x's batch axes, its own axes, then its contracted ones in the order in which y has them.
 */
function transposeOperand(
  ct: NDArray,
  x: Aval,
  y: NDArray,
  { dimensionNumbers, preferredElementType }: Params,
  swapped: boolean,
): NDArray {
  const [[xContracted, yContracted], [xBatch, yBatch]] = dimensionNumbers
  const xKept = keptAxes(x.shape.length, xContracted, xBatch)
  const yKept = keptAxes(y.ndim, yContracted, yBatch)
  const fromY = range(yKept.length, xBatch.length + (swapped ? 0 : xKept.length))
  const numbers: DotDimensionNumbers = [
    [fromY, yKept],
    [range(xBatch.length), yBatch],
  ]
  const product = dotGeneral(ct, convert(y, ct.dtype), numbers, preferredElementType)
  const order = range(yContracted.length).sort((i, j) => yContracted[i]! - yContracted[j]!)
  const axes = [...xBatch, ...xKept, ...order.map((i) => xContracted[i]!)]
  return convert(transpose(product, inverse(axes)), x.dtype, x.weakType)
}
const swap = ({ dimensionNumbers: [[lc, rc], [lb, rb]], ...rest }: Params): Params => ({
  ...rest,
  dimensionNumbers: [
    [rc, lc],
    [rb, lb],
  ],
})

function jvp([x, y]: readonly NDArray[], [dx, dy]: readonly Tangent[], params: Params): [NDArray[], Tangent[]] {
  const dot = (a: NDArray, b: NDArray) => dotGeneral(a, b, params.dimensionNumbers, params.preferredElementType)
  const out = dot(x!, y!)
  // d(xy) = dx y + x dy
  const parts = [isZero(dx!) ? undefined : dot(dx!, y!), isZero(dy!) ? undefined : dot(x!, dy!)]
  return [
    [out],
    [parts.reduce<Tangent>((sum, part) => (part === undefined ? sum : addTangents(sum, part)), new Zero(out.aval))],
  ]
}

function batch([x, y]: readonly NDArray[], [xDim, yDim]: readonly BatchDim[], params: Params): [NDArray[], BatchDim[]] {
  const {
    dimensionNumbers: [contracted, shared],
    preferredElementType,
  } = params
  const shifted = (axes: Axes, dim: BatchDim): Axes =>
    dim === null ? axes : axes.map((axis) => (axis >= dim ? axis + 1 : axis))
  const [lc, rc] = [shifted(contracted[0], xDim!), shifted(contracted[1], yDim!)]
  const [lb, rb] = [shifted(shared[0], xDim!), shifted(shared[1], yDim!)]
  const run = (left: Axes, right: Axes): NDArray =>
    dotGeneral(
      x!,
      y!,
      [
        [lc, rc],
        [left, right],
      ],
      preferredElementType,
    )
  if (xDim !== null && yDim !== null) return [[run([xDim!, ...lb], [yDim!, ...rb])], [0]]
  // a batch axis of one operand alone is one more of its own axes
  const before = (kept: number[], dim: number) => kept.indexOf(dim)
  const xKept = keptAxes(x!.ndim, lc, lb)
  const dim =
    xDim !== null
      ? lb.length + before(xKept, xDim!)
      : lb.length + xKept.length + before(keptAxes(y!.ndim, rc, rb), yDim!)
  return [[run(lb, rb)], [dim]]
}

function reference(
  [lhs, rhs]: readonly HostArray[],
  { dimensionNumbers: [contracted, shared] }: Params,
  [out]: readonly Aval[],
): HostArray[] {
  const result = hostZeros(out!)
  if (result.data.length === 0) return [result]
  const side = (x: HostArray, contractedAxes: Axes, batchAxes: Axes) => {
    const strides = stridesOf(x.shape)
    const offsets = (axes: Axes) =>
      offsetsOf(
        axes.map((axis) => x.shape[axis]!),
        axes.map((axis) => strides[axis]!),
      )
    return {
      batch: offsets(batchAxes),
      kept: offsets(keptAxes(x.shape.length, contractedAxes, batchAxes)),
      inner: offsets(contractedAxes),
    }
  }
  const left = side(lhs!, contracted[0], shared[0])
  const right = side(rhs!, contracted[1], shared[1])
  const size = left.kept.length * right.kept.length
  const run = <D extends TypedArray>(
    a: D,
    b: D,
    multiply: (x: Matrix<D>, y: Matrix<D>, to: TypedArray, at: number) => void,
    to: TypedArray,
  ) => {
    for (let i = 0; i < left.batch.length; i++) {
      const x = { data: a, base: left.batch[i]!, rows: left.kept, columns: left.inner }
      multiply(x, { data: b, base: right.batch[i]!, rows: right.inner, columns: right.kept }, to, i * size)
    }
  }
  if (isFloat(out!.dtype)) {
    run(asFloats(lhs!.data), asFloats(rhs!.data), multiplyFloats, result.data)
    roundTo(out!.dtype, result.data)
    return [result]
  }
  const sums = new Int32Array(result.data.length)
  run(new Int32Array(lhs!.data), new Int32Array(rhs!.data), multiplyIntegers, sums)
  // of bools, the disjunction of conjunctions
  result.data.set(out!.dtype === 'bool' ? sums.map((sum) => (sum === 0 ? 0 : 1)) : sums)
  return [result]
}

export const dotGeneralPrimitive: Primitive<Params> = definePrimitive<Params>({
  name: 'dot_general',
  type,
  jvp,
  transpose: ([ct], [x, y], params) => {
    const of = (
      operand: NDArray | Linear,
      other: NDArray | Linear,
      numbers: Params,
      swapped: boolean,
    ): Tangent | null => {
      if (!isLinear(operand)) return null
      if (isZero(ct!)) return new Zero(operand.aval)
      return transposeOperand(ct!, operand.aval, other as NDArray, numbers, swapped)
    }
    return [of(x!, y!, params, false), of(y!, x!, swap(params), true)]
  },
  batch,
  reference,
  show: ({ preferredElementType, ...rest }) =>
    preferredElementType === undefined ? rest : { ...rest, preferredElementType },
})

/** Multiply and sum as `dimensionNumbers` say; the result has the batch axes, then the axes of `x` alone, then those of `y`. */
export const dotGeneral = (
  x: NDArray,
  y: NDArray,
  dimensionNumbers: DotDimensionNumbers,
  preferredElementType?: DType,
): NDArray => bind1(dotGeneralPrimitive, [x, y], { dimensionNumbers, preferredElementType })
