/** Reductions along axes: sum, product, extremes, logic, and the position of extremes. Running totals are `cumulative.ts`, windows `window.ts`. */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { allocate } from '../backend/reference/host.ts'
import { type Fold, floatSum, folding, reduceHost } from '../backend/reference/reduce.ts'
import { type DType, highest, isFloat, isInteger, lowest } from '../dtype.ts'
import { DtypeError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { range, sizeOf, without } from '../shape.ts'
import { bind1 } from '../trace.ts'
import {
  type BatchDim,
  definePrimitive,
  type Combination,
  type Factor,
  type Primitive,
  type Tangent,
} from './define.ts'
import { add, convert, div, eq, mul } from './elementwise.ts'
import { broadcastInDim, full, pad, reshape, slice, squeeze, transpose } from './movement.ts'
import { linearJvp, linearTransposeOf, scalarLike, zeroJvp } from './rules.ts'
import { instantiate } from './zeros.ts'

type Axes = readonly number[]
interface Params {
  readonly axes: Axes
}

/** What sets one reduction apart. */
interface Row extends Pick<Primitive<Params>, 'jvp' | 'transpose' | 'show'> {
  /** Which dtypes it takes, in words and as a test. */
  readonly takes: readonly [string, (dtype: DType) => boolean]
  readonly fold: (dtype: DType) => Fold
  /** What makes the result of those of parts. */
  readonly combination: Combination
  /** Whether a weak operand gives a weak result. */
  readonly keepsWeak: boolean
}

const keptAxes = (rank: number, axes: Axes): number[] => without(range(rank), axes)
/** `reduce_sum` as users know it: `reduceSum`. */
const spelled = (name: string): string => name.replace(/_(.)/, (_, letter: string) => letter.toUpperCase())

function reducedShape(where: string, x: Aval, axes: Axes): number[] {
  if (new Set(axes).size !== axes.length || axes.some((axis) => x.shape[axis] === undefined)) {
    throw new ShapeError(misuse(where, 'different axes of the operand', `axes [${axes.join(',')}] of ${showAval(x)}`))
  }
  return without(x.shape, axes)
}

/** Reduce an operand that has one more axis, at `dim`: axes from there on move up, and the result's moves down. */
function batchOver(dim: BatchDim, axes: Axes, run: (axes: Axes) => NDArray): [NDArray[], BatchDim[]] {
  const shifted = axes.map((axis) => (axis >= dim! ? axis + 1 : axis))
  return [[run(shifted)], [dim! - shifted.filter((axis) => axis < dim!).length]]
}

/** Dimensions that stay are split; those that go are too, if partial results can be combined. */
const reductionAxes = (x: Aval, axes: Axes, combination?: Combination): Factor[] => [
  ...keptAxes(x.shape.length, axes).map((axis, i): Factor => ({ operands: [axis], results: [i] })),
  ...(combination === undefined ? [] : axes).map((axis): Factor => ({ operands: [axis], results: [combination!] })),
]

function reduction(
  name: string,
  { takes, fold, combination, keepsWeak, ...rules }: Row,
): (x: NDArray, axes: Axes) => NDArray {
  const where = spelled(name)
  const run = (x: NDArray, axes: Axes): NDArray => bind1(primitive, [x], { axes })
  const primitive: Primitive<Params> = definePrimitive<Params>({
    name,
    type([x], { axes }) {
      const shape = reducedShape(where, x!, axes)
      if (!takes[1](x!.dtype)) throw new DtypeError(misuse(where, takes[0], showAval(x!), 'x.astype(dtype) converts'))
      return [aval(shape, x!.dtype, keepsWeak && x!.weakType)]
    },
    batch: ([x], [dim], { axes }) => batchOver(dim!, axes, (shifted) => run(x!, shifted)),
    axes: ([x], { axes }) => [
      ...reductionAxes(x!, axes, combination),
      // partial results of the same kind can wait
      { operands: [combination], results: [combination] },
    ],
    reference: ([x], { axes }) => [reduceHost(x!, axes, fold(x!.dtype))],
    ...rules,
  })
  return run
}

const numbers = ['integers or floats', (dtype: DType) => dtype !== 'bool'] as const
const bits = ['bools or integers', (dtype: DType) => !isFloat(dtype)] as const

const integerSum = folding(0, (sum, x) => (sum + x) | 0)
const reduceSumRow: Row = {
  takes: numbers,
  combination: 'sum',
  keepsWeak: true,
  fold: (dtype) => (isFloat(dtype) ? floatSum : integerSum),
  jvp: linearJvp(
    (x, { axes }) => reduceSum(x, axes),
    ({ axes }, x) => aval(without(x.shape, axes), x.dtype, x.weakType),
  ),
  transpose: linearTransposeOf((ct, x, { axes }) => broadcastInDim(ct, x.shape, keptAxes(x.shape.length, axes))),
  show: ({ axes }) => ({ axes, outSharding: null }),
}
/** Sum along axes. */
export const reduceSum: (x: NDArray, axes: Axes) => NDArray = reduction('reduce_sum', reduceSumRow)

/**
 * The product with its derivative, by halving: (xy)' = x'y + xy', which is right for zeros too, where the product divided by each
 * factor is not. The reduced axes come first, as one.
 */
function productJvp([x]: readonly NDArray[], [t]: readonly Tangent[], { axes }: Params): [NDArray[], Tangent[]] {
  const kept = keptAxes(x!.ndim, axes)
  const shape = kept.map((axis) => x!.shape[axis]!)
  const arranged = (a: NDArray) =>
    reshape(transpose(a, [...axes, ...kept]), [sizeOf(axes.map((axis) => a.shape[axis]!)), ...shape])
  let [product, tangent] = [arranged(x!), arranged(instantiate(t!))]
  while (product.shape[0] > 1) {
    const length = product.shape[0]
    const half = Math.ceil(length / 2)
    const rest = shape.map(() => 0)
    const first = (a: NDArray) => slice(a, [0, ...rest], [half, ...shape])
    // an odd number of factors is made even by one more
    const second = (a: NDArray, filler: number) => {
      const part = slice(a, [half, ...rest], [length, ...shape])
      return length % 2 === 0
        ? part
        : pad(part, scalarLike(a, filler), [[0, 1, 0], ...shape.map(() => [0, 0, 0] as const)])
    }
    const [x1, x2, t1, t2] = [first(product), second(product, 1), first(tangent), second(tangent, 0)]
    tangent = add(mul(t1, x2), mul(x1, t2))
    product = mul(x1, x2)
  }
  const result = (a: NDArray, empty: number) =>
    a.shape[0] === 0 ? full(shape, empty, a.dtype, a.weakType) : squeeze(a, [0])
  return [[result(product, 1)], [result(tangent, 0)]]
}
/** Multiply along axes. */
export const reduceProd: (x: NDArray, axes: Axes) => NDArray = reduction('reduce_prod', {
  takes: numbers,
  combination: 'product',
  keepsWeak: true,
  fold: (dtype) => (isFloat(dtype) ? folding(1, (product, x) => product * x) : folding(1, Math.imul)),
  jvp: productJvp,
})

/** Elements that equal the extreme share its tangent. */
function extremeJvp(reduce: (x: NDArray, axes: Axes) => NDArray): NonNullable<Row['jvp']> {
  return ([x], [t], { axes }) => {
    const [out, tangent] = [reduce(x!, axes), instantiate(t!)]
    const chosen = convert(eq(x!, broadcastInDim(out, x!.shape, keptAxes(x!.ndim, axes))), tangent.dtype)
    return [[out], [div(reduceSum(mul(tangent, chosen), axes), reduceSum(chosen, axes))]]
  }
}
const anything = ['an array', () => true] as const

/** The largest element along axes; NaN if there is one. */
export const reduceMax: (x: NDArray, axes: Axes) => NDArray = reduction('reduce_max', {
  takes: anything,
  combination: 'max',
  keepsWeak: true,
  fold: (dtype) => folding(lowest(dtype), Math.max),
  jvp: extremeJvp((x, axes) => reduceMax(x, axes)),
})
/** The smallest element along axes; NaN if there is one. */
export const reduceMin: (x: NDArray, axes: Axes) => NDArray = reduction('reduce_min', {
  takes: anything,
  combination: 'min',
  keepsWeak: true,
  fold: (dtype) => folding(highest(dtype), Math.min),
  jvp: extremeJvp((x, axes) => reduceMin(x, axes)),
})

/** The conjunction of bits along axes. */
export const reduceAnd: (x: NDArray, axes: Axes) => NDArray = reduction('reduce_and', {
  takes: bits,
  combination: 'and',
  keepsWeak: false,
  fold: (dtype) => folding(dtype === 'bool' ? 1 : -1, (all, x) => all & x),
})
/** The disjunction of bits along axes. */
export const reduceOr: (x: NDArray, axes: Axes) => NDArray = reduction('reduce_or', {
  takes: bits,
  combination: 'or',
  keepsWeak: false,
  fold: () => folding(0, (any, x) => any | x),
})
/** The parity of bits along axes. */
export const reduceXor: (x: NDArray, axes: Axes) => NDArray = reduction('reduce_xor', {
  takes: bits,
  combination: 'xor',
  keepsWeak: false,
  fold: () => folding(0, (odd, x) => odd ^ x),
})

interface ArgParams extends Params {
  readonly indexDtype: DType
}
type ArgReduction = (x: NDArray, axis: number, indexDtype?: DType) => NDArray

/** The position of the first element that beats all others; the first NaN beats every number. */
function argReduction(name: string, beats: (x: number, best: number) => boolean): ArgReduction {
  const run: ArgReduction = (x, axis, indexDtype = 'int32') => bind1(primitive, [x], { axes: [axis], indexDtype })
  const position = (x: HostArray, axis: number, indexDtype: DType): HostArray => {
    const length = x.shape[axis]!
    const inner = sizeOf(x.shape.slice(axis + 1))
    const shape = without(x.shape, [axis])
    const data = allocate(indexDtype, sizeOf(shape))
    for (let i = 0; i < data.length; i++) {
      const start = Math.floor(i / inner) * inner * length + (i % inner)
      let best = 0
      for (let j = 1; j < length; j++) {
        const [value, leader] = [x.data[start + j * inner]!, x.data[start + best * inner]!]
        if (leader === leader && (value !== value || beats(value, leader))) best = j
      }
      data[i] = best
    }
    return { shape, dtype: indexDtype, data }
  }
  const primitive: Primitive<ArgParams> = definePrimitive<ArgParams>({
    name,
    type([x], { axes, indexDtype }) {
      const shape = reducedShape(name, x!, axes)
      if (x!.shape[axes[0]!] === 0)
        throw new ShapeError(misuse(name, 'an axis that is not empty', `axis ${axes[0]} of ${showAval(x!)}`))
      if (!isInteger(indexDtype)) throw new DtypeError(misuse(name, 'an integer dtype for indices', indexDtype))
      return [aval(shape, indexDtype)]
    },
    jvp: zeroJvp(([x], { axes, indexDtype }) => [run(x!, axes[0]!, indexDtype)]),
    // the axis that is searched is not split: a position says nothing of the element there
    axes: ([x], { axes }) => reductionAxes(x!, axes),
    batch: ([x], [dim], { axes, indexDtype }) => batchOver(dim!, axes, ([axis]) => run(x!, axis!, indexDtype)),
    reference: ([x], { axes, indexDtype }) => [position(x!, axes[0]!, indexDtype)],
  })
  return run
}
/** The first position of the largest element along an axis, or of the first NaN. */
export const argmax: ArgReduction = argReduction('argmax', (x, best) => x > best)
/** The first position of the smallest element along an axis, or of the first NaN. */
export const argmin: ArgReduction = argReduction('argmin', (x, best) => x < best)
