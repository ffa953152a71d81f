/** Reductions over sliding windows (pooling), and the choice of one element a window with which the extremes are differentiated. */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { allocate, roundTo } from '../backend/reference/host.ts'
import { type Windows, dilated, windowCounts, windowOffsets } from '../backend/reference/windows.ts'
import { type DType, highest, lowest } from '../dtype.ts'
import { DtypeError, MissingRuleError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { inserted, sameShape, sizeOf, stridesOf } from '../shape.ts'
import { bind1 } from '../trace.ts'
import { allBut } from './axes.ts'
import { type BatchDim, type Primitive, type Tangent, Zero, definePrimitive } from './define.ts'
import { batchInFront, pad, slice } from './movement.ts'
import { isLinear, isZero, known, linearJvp, linearTransposeOf, scalarLike } from './rules.ts'
import { instantiate } from './zeros.ts'

/** One entry an axis in each; dilation and padding as in convolutions. */
export interface WindowParams {
  readonly windowDimensions: readonly number[]
  readonly windowStrides: readonly number[]
  readonly padding: readonly (readonly [low: number, high: number])[]
  readonly baseDilation: readonly number[]
  readonly windowDilation: readonly number[]
}
/** Which element of a window is chosen: the first that is at least, or at most, as large as all others. */
type Selection = 'ge' | 'le'
interface SelectParams extends WindowParams {
  readonly selectPrim: Selection
}

const windowsOf = (params: WindowParams): Windows => ({
  sizes: params.windowDimensions,
  strides: params.windowStrides,
  padding: params.padding,
  baseDilation: params.baseDilation,
  windowDilation: params.windowDilation,
})

function countsOf(where: string, x: Aval, params: WindowParams): number[] {
  for (const name of ['windowDimensions', 'windowStrides', 'padding', 'baseDilation', 'windowDilation'] as const) {
    if (params[name].length !== x.shape.length) {
      throw new ShapeError(
        misuse(where, `${x.shape.length} entries of ${name} for ${showAval(x)}`, `${params[name].length}`),
      )
    }
  }
  for (const name of ['windowDimensions', 'windowStrides', 'baseDilation', 'windowDilation'] as const) {
    if (params[name].some((size) => size < 1))
      throw new ShapeError(misuse(where, `positive ${name}`, `[${params[name].join(',')}]`))
  }
  return windowCounts(x.shape, windowsOf(params))
}

/** The parameters for an operand with one more axis, at `dim`, along which windows have one element. */
const withAxis = <P extends WindowParams>(params: P, dim: number): P => ({
  ...params,
  windowDimensions: inserted(params.windowDimensions, dim, 1),
  windowStrides: inserted(params.windowStrides, dim, 1),
  padding: inserted(params.padding, dim, [0, 0] as const),
  baseDilation: inserted(params.baseDilation, dim, 1),
  windowDilation: inserted(params.windowDilation, dim, 1),
})

/** Dimensions along which windows have one element each, without padding or holes, are split; along others windows reach over borders. */
const windowAxes = allBut<WindowParams>(
  ({ windowDimensions, windowStrides, padding: around, baseDilation, windowDilation }) =>
    windowDimensions.flatMap((size, i) =>
      size === 1 &&
      windowStrides[i] === 1 &&
      around[i]!.every((amount) => amount === 0) &&
      baseDilation[i] === 1 &&
      windowDilation[i] === 1
        ? []
        : [i],
    ),
)

interface Row extends Pick<Primitive<WindowParams>, 'jvp' | 'transpose'> {
  readonly takes: readonly [string, (dtype: DType) => boolean]
  readonly initial: (dtype: DType) => number
  readonly step: (accumulated: number, x: number) => number
}
type WindowReduction = (x: NDArray, params: WindowParams) => NDArray

function windowReduction(name: string, where: string, { takes, initial, step, ...rules }: Row): WindowReduction {
  const run: WindowReduction = (x, params) => bind1(primitive, [x], params)
  const primitive: Primitive<WindowParams> = definePrimitive<WindowParams>({
    name,
    type([x], params) {
      if (!takes[1](x!.dtype)) throw new DtypeError(misuse(where, takes[0], showAval(x!), 'x.astype(dtype) converts'))
      return [aval(countsOf(where, x!, params), x!.dtype, x!.weakType)]
    },
    batch: ([x], [dim], params) => [[run(x!, withAxis(params, dim!))], [dim!]],
    axes: windowAxes,
    reference([x], params, [out]) {
      const offsets = windowOffsets(x!.shape, stridesOf(x!.shape), windowsOf(params))
      const taps = sizeOf(params.windowDimensions)
      const data = allocate(x!.dtype, sizeOf(out!.shape))
      for (let i = 0, at = 0; i < data.length; i++) {
        let total = initial(x!.dtype)
        for (let j = 0; j < taps; j++, at++) if (offsets[at]! >= 0) total = step(total, x!.data[offsets[at]!]!)
        data[i] = total
      }
      return [{ shape: out!.shape, dtype: x!.dtype, data: roundTo(x!.dtype, data) }]
    },
    ...rules,
  })
  return run
}

/** A window's sum reaches back to each of its elements: the cotangent, spread by the strides, summed over windows of the same size. */
function transposeSum(ct: NDArray, x: Aval, params: WindowParams): NDArray {
  const config = x.shape.map((dim, i) => {
    const window = dilated(params.windowDimensions[i]!, params.windowDilation[i]!)
    const low = window - params.padding[i]![0] - 1
    const spread = dilated(ct.shape[i]!, params.windowStrides[i]!)
    return [
      low,
      dilated(dim, params.baseDilation[i]!) + window - 1 - spread - low,
      params.windowStrides[i]! - 1,
    ] as const
  })
  return reduceWindowSum(pad(ct, scalarLike(ct, 0), config), {
    ...params,
    windowStrides: params.baseDilation,
    padding: x.shape.map(() => [0, 0] as const),
    baseDilation: x.shape.map(() => 1),
  })
}

/** The sum of each window. */
export const reduceWindowSum: WindowReduction = windowReduction('reduce_window_sum', 'reduceWindowSum', {
  takes: ['integers or floats', (dtype) => dtype !== 'bool'],
  initial: () => 0,
  step: (sum, x) => sum + x,
  jvp: linearJvp<WindowParams>(
    (x, params) => reduceWindowSum(x, params),
    (params, x) => aval(windowCounts(x.shape, windowsOf(params)), x.dtype, x.weakType),
  ),
  transpose: linearTransposeOf((ct, x, params) => transposeSum(ct, x, params)),
})

const extremeJvp =
  (reduce: () => WindowReduction, selectPrim: Selection): NonNullable<Row['jvp']> =>
  ([x], [t], params): [NDArray[], Tangent[]] => [
    [reduce()(x!, params)],
    [selectAndGatherAdd(instantiate(t!), x!, { ...params, selectPrim })],
  ]
const anything = ['an array', () => true] as const

/** The largest element of each window. */
export const reduceWindowMax: WindowReduction = windowReduction('reduce_window_max', 'reduceWindowMax', {
  takes: anything,
  initial: lowest,
  step: Math.max,
  jvp: extremeJvp(() => reduceWindowMax, 'ge'),
})
/** The smallest element of each window. */
export const reduceWindowMin: WindowReduction = windowReduction('reduce_window_min', 'reduceWindowMin', {
  takes: anything,
  initial: highest,
  step: Math.min,
  jvp: extremeJvp(() => reduceWindowMin, 'le'),
})

/** The offset of the element that each window chooses from `x`; −1 for a window over padding alone. */
function chosen(x: HostArray, params: SelectParams): Int32Array {
  const offsets = windowOffsets(x.shape, stridesOf(x.shape), windowsOf(params))
  const taps = sizeOf(params.windowDimensions)
  const keeps = params.selectPrim === 'ge' ? (a: number, b: number) => a >= b : (a: number, b: number) => a <= b
  return Int32Array.from({ length: offsets.length / taps }, (_, window) => {
    let best = -1
    for (let at = window * taps; at < (window + 1) * taps; at++) {
      const offset = offsets[at]!
      if (offset >= 0 && (best < 0 || !keeps(x.data[best]!, x.data[offset]!))) best = offset
    }
    return best
  })
}

/** Both operations below are linear in their first operand and do not vary with the second, which only chooses. */
const linearInFirst =
  (
    run: (first: NDArray, operand: NDArray, params: SelectParams) => NDArray,
  ): NonNullable<Primitive<SelectParams>['jvp']> =>
  ([first, operand], [t], params): [NDArray[], Tangent[]] => {
    const out = run(first!, operand!, params)
    return [[out], [isZero(t!) ? new Zero(out.aval) : run(t!, operand!, params)]]
  }
const batchBoth =
  (
    run: (first: NDArray, operand: NDArray, params: SelectParams) => NDArray,
  ): NonNullable<Primitive<SelectParams>['batch']> =>
  ([first, operand], [firstDim, operandDim], params, { size }): [NDArray[], BatchDim[]] => [
    [run(batchInFront(first!, firstDim!, size), batchInFront(operand!, operandDim!, size), withAxis(params, 0))],
    [0],
  ]

const gatherPrimitive: Primitive<SelectParams> = definePrimitive<SelectParams>({
  name: 'select_and_gather_add',
  type([tangents, operand], params) {
    if (!sameShape(tangents!.shape, operand!.shape)) {
      throw new ShapeError(
        misuse('selectAndGatherAdd', 'equal shapes', `${showAval(tangents!)} and ${showAval(operand!)}`),
      )
    }
    return [
      aval(countsOf('selectAndGatherAdd', operand!, params), tangents!.dtype, tangents!.weakType && operand!.weakType),
    ]
  },
  jvp: linearInFirst((tangents, operand, params) => selectAndGatherAdd(tangents, operand, params)),
  transpose([ct], [tangents, x], params) {
    if (!isLinear(tangents!)) return [null, null]
    if (isZero(ct!)) return [new Zero(tangents!.aval), null]
    if (params.windowDilation.some((dilation) => dilation !== 1)) {
      throw new MissingRuleError(
        'selectAndGatherAdd: the gradient of a maximum or minimum over dilated windows is not defined',
      )
    }
    const operand = known('selectAndGatherAdd', x!)
    const spread = params.baseDilation.some((dilation) => dilation !== 1)
    // holes of a dilated operand lose against every element
    const lowest = params.selectPrim === 'ge' ? -Infinity : Infinity
    const source = spread
      ? pad(
          operand,
          scalarLike(operand, lowest),
          params.baseDilation.map((d) => [0, 0, d - 1]),
        )
      : operand
    const result = selectAndScatterAdd(ct!, source, { ...params, baseDilation: params.baseDilation.map(() => 1) })
    return [
      spread
        ? slice(
            result,
            result.shape.map(() => 0),
            result.shape,
            params.baseDilation,
          )
        : result,
      null,
    ]
  },
  batch: batchBoth((tangents, operand, params) => selectAndGatherAdd(tangents, operand, params)),
  axes: windowAxes,
  reference([tangents, operand], params, [out]) {
    const data = allocate(out!.dtype, sizeOf(out!.shape))
    chosen(operand!, params).forEach((from, i) => (data[i] = from < 0 ? 0 : tangents!.data[from]!))
    return [{ shape: out!.shape, dtype: out!.dtype, data }]
  },
})
/** From each window of `tangents` the element where `operand` is extreme; zero for windows over padding alone. */
export const selectAndGatherAdd = (tangents: NDArray, operand: NDArray, params: SelectParams): NDArray =>
  bind1(gatherPrimitive, [tangents, operand], params)

const scatterPrimitive: Primitive<SelectParams> = definePrimitive<SelectParams>({
  name: 'select_and_scatter_add',
  type([source, operand], params) {
    const counts = countsOf('selectAndScatterAdd', operand!, params)
    if (!sameShape(source!.shape, counts)) {
      throw new ShapeError(
        misuse('selectAndScatterAdd', `one element a window, [${counts.join(',')}]`, showAval(source!)),
      )
    }
    return [aval(operand!.shape, source!.dtype, source!.weakType && operand!.weakType)]
  },
  jvp: linearInFirst((source, operand, params) => selectAndScatterAdd(source, operand, params)),
  transpose([ct], [source, operand], params) {
    if (!isLinear(source!)) return [null, null]
    if (isZero(ct!)) return [new Zero(source!.aval), null]
    return [selectAndGatherAdd(ct!, known('selectAndScatterAdd', operand!), params), null]
  },
  batch: batchBoth((source, operand, params) => selectAndScatterAdd(source, operand, params)),
  axes: windowAxes,
  reference([source, operand], params, [out]) {
    const sums = new Float64Array(sizeOf(out!.shape))
    chosen(operand!, params).forEach((to, i) => {
      if (to >= 0) sums[to]! += source!.data[i]!
    })
    const data = allocate(out!.dtype, sums.length)
    data.set(sums)
    return [{ shape: out!.shape, dtype: out!.dtype, data: roundTo(out!.dtype, data) }]
  },
  show: ({ baseDilation: _base, windowDilation: _window, ...rest }) => rest,
})
/** Zeros like `operand`, to which each element of `source` is added where its window of `operand` is extreme. */
export const selectAndScatterAdd = (source: NDArray, operand: NDArray, params: SelectParams): NDArray =>
  bind1(scatterPrimitive, [source, operand], params)
