/** The general product of two arrays: axes that are contracted, axes that both share, axes of one alone. */
import type { NDArray } from '../array.ts'
import type { HostArray, TypedArray } from '../backend/interface.ts'
import { hostZeros, roundTo } from '../backend/reference/host.ts'
import { asFloats, type Matrix, multiplyFloats, multiplyIntegers, offsetsOf } from '../backend/reference/matmul.ts'
import { type DType, isFloat } from '../dtype.ts'
import { ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { inverse, range, stridesOf, without } from '../shape.ts'
import { bind1 } from '../trace.ts'
import { bilinearJvp, bilinearTranspose, productType } from './bilinear.ts'
import { type BatchDim, type Factor, type Primitive, definePrimitive } from './define.ts'
import { convert } from './elementwise.ts'
import { transpose } from './movement.ts'

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

function type(
  [lhs, rhs]: readonly Aval[],
  { dimensionNumbers: [contracted, batch], preferredElementType }: Params,
): Aval[] {
  const dtype = productType(where, lhs!, rhs!, preferredElementType)
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
  return [aval(shape, dtype, lhs!.weakType && rhs!.weakType)]
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

/** `(b i k, b k j) -> (b i j)`, with sums over k. */
function axes(
  [lhs, rhs]: readonly Aval[],
  { dimensionNumbers: [contracted, shared] }: Params,
  [out]: readonly Aval[],
): Factor[] {
  const [left, right] = [
    keptAxes(lhs!.shape.length, contracted[0], shared[0]),
    keptAxes(rhs!.shape.length, contracted[1], shared[1]),
  ]
  const sum = out!.dtype === 'bool' ? 'or' : 'sum'
  const before = shared[0].length
  return [
    ...shared[0].map((axis, i): Factor => ({ operands: [axis, shared[1][i]!], results: [i] })),
    ...left.map((axis, i): Factor => ({ operands: [axis, null], results: [before + i] })),
    ...right.map((axis, i): Factor => ({ operands: [null, axis], results: [before + left.length + i] })),
    ...contracted[0].map((axis, i): Factor => ({ operands: [axis, contracted[1][i]!], results: [sum] })),
  ]
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
  jvp: bilinearJvp((x, y, { dimensionNumbers, preferredElementType }) =>
    dotGeneral(x, y, dimensionNumbers, preferredElementType),
  ),
  transpose: bilinearTranspose(
    where,
    (ct, x, y, params) => transposeOperand(ct, x, y, params, false),
    (ct, y, x, params) => transposeOperand(ct, y, x, swap(params), true),
  ),
  batch,
  axes,
  reference,
  show: ({ dimensionNumbers, preferredElementType }) => ({
    dimensionNumbers: `(${dimensionNumbers.map((pair) => `(${pair.map((axes) => `[${axes.join(', ')}]`).join(', ')})`).join(', ')})`,
    preferredElementType,
  }),
})

/** Multiply and sum as `dimensionNumbers` say; the result has the batch axes, then the axes of `x` alone, then those of `y`. */
export const dotGeneral = (
  x: NDArray,
  y: NDArray,
  dimensionNumbers: DotDimensionNumbers,
  preferredElementType?: DType,
): NDArray => bind1(dotGeneralPrimitive, [x, y], { dimensionNumbers, preferredElementType })
