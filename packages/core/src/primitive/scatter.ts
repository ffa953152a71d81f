/** Scatter: windows of one size, written to the places that an array of index vectors lists, or combined with what is there. */
import type { NDArray } from '../array.ts'
import type { HostArray, TypedArray } from '../backend/interface.ts'
import { bitsOf, offsetsOf, planCopy } from '../backend/reference/copy.ts'
import { roundTo } from '../backend/reference/host.ts'
import type { DType } from '../dtype.ts'
import { DtypeError, MissingRuleError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { type ClosedJaxpr, Var, closed } from '../ir/jaxpr.ts'
import { type Shape, range, sizeOf, without } from '../shape.ts'
import { bind1 } from '../trace.ts'
import { keepsSums } from './axes.ts'
import {
  type BatchAxis,
  type BatchDim,
  type Combination,
  type Factor,
  type Linear,
  type Primitive,
  type Tangent,
  Zero,
  definePrimitive,
  primitives,
} from './define.ts'
import { add, div, eq, mul, selectN, sub } from './elementwise.ts'
import { gather, showNumbers } from './gather.ts'
import {
  type IndexMode,
  type Names,
  type Numbers,
  alignedDims,
  batchNumbers,
  checkMode,
  gatheredShape,
  showMode,
  windowAxesOf,
  windowsOf,
} from './gatherNumbers.ts'
import { batchInFront, broadcastInDim, full, iota, moveAxis, reshape } from './movement.ts'
import { isLinear, isZero, known, scalarLike } from './rules.ts'
import { addTangents, instantiate } from './zeros.ts'

/** JAX's `ScatterDimensionNumbers`; index vectors lie along the last axis of the indices. */
export interface ScatterDimensionNumbers {
  /** Axes of the updates that run inside a window. */
  readonly updateWindowDims: readonly number[]
  /** Axes of the operand along which a window has size 1, and that the updates lack. */
  readonly insertedWindowDims: readonly number[]
  /** The axis of the operand that each entry of an index vector is for. */
  readonly scatterDimsToOperandDims: readonly number[]
  readonly operandBatchingDims?: readonly number[]
  readonly scatterIndicesBatchingDims?: readonly number[]
}
export interface ScatterOptions {
  readonly dimensionNumbers: ScatterDimensionNumbers
  readonly mode?: IndexMode
  /** A promise that no element is written twice. */
  readonly uniqueIndices?: boolean
  readonly indicesAreSorted?: boolean
}
interface ScatterParams {
  readonly dimensionNumbers: Required<ScatterDimensionNumbers>
  readonly mode: IndexMode
  readonly uniqueIndices: boolean
  readonly indicesAreSorted: boolean
}

const names: Names = {
  offsetDims: 'updateWindowDims',
  collapsedSliceDims: 'insertedWindowDims',
  startIndexMap: 'scatterDimsToOperandDims',
  operandBatchingDims: 'operandBatchingDims',
  startIndicesBatchingDims: 'scatterIndicesBatchingDims',
}
/** The gather that reads what a scatter writes. */
const readerOf = (numbers: Required<ScatterDimensionNumbers>): Numbers => ({
  offsetDims: numbers.updateWindowDims,
  collapsedSliceDims: numbers.insertedWindowDims,
  startIndexMap: numbers.scatterDimsToOperandDims,
  operandBatchingDims: numbers.operandBatchingDims,
  startIndicesBatchingDims: numbers.scatterIndicesBatchingDims,
})
const writerOf = (numbers: Numbers): Required<ScatterDimensionNumbers> => ({
  updateWindowDims: numbers.offsetDims,
  insertedWindowDims: numbers.collapsedSliceDims,
  scatterDimsToOperandDims: numbers.startIndexMap,
  operandBatchingDims: numbers.operandBatchingDims,
  scatterIndicesBatchingDims: numbers.startIndicesBatchingDims,
})
/** The size of a window along each axis of the operand. */
function windowSizes(operand: Shape, updates: Shape, numbers: Numbers): number[] {
  const sizes = operand.map((dim, axis) => (numbers.operandBatchingDims.includes(axis) ? Math.min(1, dim) : 1))
  windowAxesOf(numbers, operand.length).forEach((axis, i) => (sizes[axis] = updates[numbers.offsetDims[i]!] ?? 1))
  return sizes
}
/** Read from `x` what the scatter of `updates` would write to. */
function readBack(
  x: NDArray,
  indices: NDArray,
  updates: Shape,
  { dimensionNumbers, ...rest }: ScatterParams,
  fillValue: number,
): NDArray {
  const numbers = readerOf(dimensionNumbers)
  return gather(x, indices, {
    ...rest,
    dimensionNumbers: numbers,
    sliceSizes: windowSizes(x.shape, updates, numbers),
    fillValue,
  })
}

/** The batch rule, which dynamic updates share. */
export function batchScatter(
  primitive: Primitive<ScatterParams>,
  [x, indices, updates]: readonly [NDArray, NDArray, NDArray],
  [dim, indexDim, updateDim]: readonly [BatchDim, BatchDim, BatchDim],
  params: ScatterParams,
  { size }: BatchAxis,
): [NDArray[], BatchDim[]] {
  const vectors = indexDim === null ? indices : moveAxis(indices, indexDim, 0)
  const dimensionNumbers = writerOf(batchNumbers(readerOf(params.dimensionNumbers), true, indexDim !== null))
  const args = [batchInFront(x, dim, size), vectors, batchInFront(updates, updateDim, size)]
  return [[bind1(primitive, args, { ...params, dimensionNumbers })], [0]]
}

type Args = readonly [NDArray, NDArray, NDArray]
/** What sets one kind of scatter apart. */
interface Row {
  /** What combines two elements, by the name of its primitive; none if an update replaces. */
  readonly combiner: string | null
  /** The tangent of the result; not called when those of operand and updates are both zero. */
  tangent(args: Args, tangents: readonly [Tangent, Tangent], params: ScatterParams): readonly [NDArray, Tangent]
  transpose?(
    ct: NDArray,
    args: readonly [NDArray | Linear, NDArray, NDArray | Linear],
    params: ScatterParams,
  ): readonly (NDArray | null)[]
  /** Combine updates into `data`, window by window. */
  write(data: TypedArray, updates: TypedArray, walk: Walk): void
}
/** Call `each` with the offsets of every element to write and of its update. */
type Walk = (each: (at: number, from: number) => void) => void

function scatterType(
  where: string,
  [x, indices, updates]: readonly Aval[],
  combiner: string | null,
  { dimensionNumbers }: ScatterParams,
): [Aval] {
  if (updates!.dtype !== x!.dtype) {
    throw new DtypeError(misuse(where, `updates of dtype ${x!.dtype}`, showAval(updates!), 'x.astype(dtype) converts'))
  }
  if (x!.dtype === 'bool' && (combiner === 'add' || combiner === 'mul'))
    throw new DtypeError(misuse(where, 'numbers', showAval(x!)))
  const numbers = readerOf(dimensionNumbers)
  const shape = gatheredShape(where, x!, indices!, numbers, windowSizes(x!.shape, updates!.shape, numbers), names)
  if (shape.length !== updates!.shape.length || shape.some((dim, i) => dim !== updates!.shape[i])) {
    throw new ShapeError(
      misuse(
        where,
        `updates of shape [${shape.join(',')}] for ${showAval(x!)} and indices ${showAval(indices!)}`,
        showAval(updates!),
      ),
    )
  }
  return [aval(x!.shape, x!.dtype, x!.weakType)]
}

function scatterReference(
  [x, indices, updates]: readonly HostArray[],
  { dimensionNumbers, mode }: ScatterParams,
  row: Row,
): [HostArray] {
  const numbers = readerOf(dimensionNumbers)
  const data = x!.data.slice()
  const windows = windowsOf(
    x!.shape,
    indices!,
    numbers,
    windowSizes(x!.shape, updates!.shape, numbers),
    mode === 'clip',
  )
  const { starts, places } = windows
  if (row.combiner === null) {
    const copy = planCopy(windows.shape, windows.resultStrides, windows.strides)
    const [source, target] = [bitsOf(updates!.data), bitsOf(data)]
    for (let n = 0; n < starts.length; n++) if (starts[n]! >= 0) copy(source, places[n]!, target, starts[n]!)
    return [{ ...x!, data }]
  }
  const [to, from] = [offsetsOf(windows.shape, windows.strides), offsetsOf(windows.shape, windows.resultStrides)]
  row.write(data, updates!.data, (each) => {
    for (let n = 0; n < starts.length; n++) {
      const [start, place] = [starts[n]!, places[n]!]
      if (start < 0) continue
      for (let i = 0; i < to.length; i++) each(start + to[i]!, place + from[i]!)
    }
  })
  // 16-bit floats are stored wider, and so are rounded once however often an element was updated.
  return [{ ...x!, data: roundTo(x!.dtype, data) }]
}

const combinations = new Map<string, ClosedJaxpr>()
/** A program of one operation on two scalars: what JAX prints of the combination. It is the same one for all scatters of a dtype. */
function combination(combiner: string, dtype: DType): ClosedJaxpr {
  const key = `${combiner} ${dtype}`
  const known = combinations.get(key)
  if (known !== undefined) return known
  const type = aval([], dtype)
  const [a, b, out] = [new Var(type), new Var(type), new Var(type)]
  const equation = {
    primitive: primitives.get(combiner)!,
    inputs: [a, b],
    params: {},
    outputs: [out],
    source: undefined,
  }
  const program = closed({ constants: [], inputs: [a, b], equations: [equation], outputs: [out] })
  combinations.set(key, program)
  return program
}

const combinationOf: Readonly<Record<string, Combination>> = { add: 'sum', mul: 'product', min: 'min', max: 'max' }
/** Index vectors that are listed are split as well if it does not matter in which order their updates are combined. */
function scatterAxes(
  [x, indices, updates]: readonly Aval[],
  combiner: string | null,
  { dimensionNumbers }: ScatterParams,
): Factor[] {
  const numbers = readerOf(dimensionNumbers)
  const how = combinationOf[combiner ?? '']
  // An extreme of what was there may be taken again; what is added or multiplied to what was there is so once.
  const operand = combiner === 'min' || combiner === 'max' ? null : (how ?? null)
  const dims = alignedDims(x!.shape, indices!.shape.length, numbers, windowSizes(x!.shape, updates!.shape, numbers))
  return [
    ...dims.flatMap(({ operand: dim, indices: listed, result }): Factor[] => {
      if (dim !== null) return [{ operands: [dim, listed, result], results: [dim] }]
      return how === undefined ? [] : [{ operands: [operand, listed, result], results: [how] }]
    }),
    ...(combiner === 'add' ? keepsSums([x!, indices!, updates!], [0, 2]) : []),
  ]
}

function defineScatter(name: string, row: Row): Primitive<ScatterParams> {
  const where = name.replace(/-(.)/, (_, letter: string) => letter.toUpperCase())
  const { combiner, transpose } = row
  const primitive: Primitive<ScatterParams> = definePrimitive<ScatterParams>({
    name,
    type: (args, params) => scatterType(where, args, combiner, params),
    jvp([x, indices, updates], [tx, , tUpdates], params) {
      if (isZero(tx!) && isZero(tUpdates!)) {
        const out = bind1(primitive, [x!, indices!, updates!], params)
        return [[out], [new Zero(out.aval)]]
      }
      const [out, t] = row.tangent([x!, indices!, updates!], [tx!, tUpdates!], params)
      return [[out], [t]]
    },
    ...(transpose === undefined
      ? {}
      : {
          transpose(cts, [x, indices, updates], params) {
            const ct = cts[0]!
            if (isZero(ct)) return [x!, indices!, updates!].map((arg) => (isLinear(arg) ? new Zero(arg.aval) : null))
            return transpose(ct, [x!, known(where, indices!), updates!], params)
          },
        }),
    batch: ([x, indices, updates], [dim, indexDim, updateDim], params, axis) =>
      batchScatter(primitive, [x!, indices!, updates!], [dim!, indexDim!, updateDim!], params, axis),
    axes: (args, params) => scatterAxes(args, combiner, params),
    reference: (args, params) => scatterReference(args, params, row),
    show: ({ dimensionNumbers: numbers, indicesAreSorted, mode, uniqueIndices }, [x]) => ({
      dimensionNumbers: showNumbers('ScatterDimensionNumbers', {
        updateWindowDims: numbers.updateWindowDims,
        insertedWindowDims: numbers.insertedWindowDims,
        scatterDimsToOperandDims: numbers.scatterDimsToOperandDims,
        operandBatchingDims: numbers.operandBatchingDims,
        scatterIndicesBatchingDims: numbers.scatterIndicesBatchingDims,
      }),
      indicesAreSorted,
      mode: showMode(mode),
      uniqueIndices,
      updateConsts: [],
      updateJaxpr: combiner === null ? null : combination(combiner, x!.dtype),
    }),
  })
  return primitive
}

const operation =
  (name: string, primitive: () => Primitive<ScatterParams>) =>
  (x: NDArray, indices: NDArray, updates: NDArray, options: ScatterOptions): NDArray => {
    const mode = options.mode ?? 'drop'
    checkMode(name, mode)
    return bind1(primitive(), [x, indices, updates], {
      dimensionNumbers: { operandBatchingDims: [], scatterIndicesBatchingDims: [], ...options.dimensionNumbers },
      mode,
      uniqueIndices: options.uniqueIndices ?? false,
      indicesAreSorted: options.indicesAreSorted ?? false,
    })
  }
type Scatter = ReturnType<typeof operation>
/** Write updates; of several for one element it is not said which remains. */
export const scatter: Scatter = operation('scatter', () => setPrimitive)
/** Add updates to what is there. */
export const scatterAdd: Scatter = operation('scatterAdd', () => addPrimitive)
/** Multiply what is there by updates. */
export const scatterMul: Scatter = operation('scatterMul', () => mulPrimitive)
/** Keep the lesser of what is there and the updates. */
export const scatterMin: Scatter = operation('scatterMin', () => minPrimitive)
/** Keep the greater of what is there and the updates. */
export const scatterMax: Scatter = operation('scatterMax', () => maxPrimitive)

const fullLike = (x: NDArray, value: number): NDArray => full(x.shape, value, x.dtype, x.weakType)

/**
 * Which of several updates of one element remains is not said, but value and tangent must be of the same one. So numbers from 1 up are
 * scattered first; an update that does not find its own number again has lost, and an element that still has 0 was not updated. With
 * the losers set to zero the rest is a `scatterAdd`.
 */
function setTangent(
  [x, indices, updates]: Args,
  [tx, tUpdates]: readonly [Tangent, Tangent],
  params: ScatterParams,
): readonly [NDArray, NDArray] {
  const [dx, dUpdates] = [instantiate(tx), instantiate(tUpdates)]
  if (params.uniqueIndices) return [scatter(x, indices, updates, params), scatter(dx, indices, dUpdates, params)]
  const { updateWindowDims } = params.dimensionNumbers
  const batchAxes = without(range(updates.ndim), updateWindowDims)
  const shape = batchAxes.map((axis) => updates.shape[axis]!)
  const numbers = add(iota('uint32', [sizeOf(shape)], 0), full([sizeOf(shape)], 1, 'uint32'))
  const ids = broadcastInDim(reshape(numbers, shape), updates.shape, batchAxes)
  const written = scatter(full(x.shape, 0, 'uint32'), indices, ids, params)
  const untouched = eq(written, fullLike(written, 0))
  const remains = eq(ids, readBack(written, indices, updates.shape, params, 0))
  const masked = (base: NDArray, values: NDArray): NDArray =>
    scatterAdd(
      selectN(untouched, fullLike(base, 0), base),
      indices,
      selectN(remains, fullLike(values, 0), values),
      params,
    )
  return [masked(x, updates), masked(dx, dUpdates)]
}

export const setPrimitive: Primitive<ScatterParams> = defineScatter('scatter', {
  combiner: null,
  tangent: setTangent,
  transpose(ct, [x, indices, updates], params) {
    if (!params.uniqueIndices) throw new MissingRuleError('scatter: can be transposed only with uniqueIndices')
    const zeros = full(updates.aval.shape, 0, ct.dtype)
    return [
      isLinear(x) ? scatter(ct, indices, zeros, params) : null,
      null,
      isLinear(updates) ? readBack(ct, indices, updates.aval.shape, params, 0) : null,
    ]
  },
  write: () => {},
})

const addPrimitive: Primitive<ScatterParams> = defineScatter('scatter-add', {
  combiner: 'add',
  tangent: ([x, indices, updates], [tx, tUpdates], params) => [
    scatterAdd(x, indices, updates, params),
    scatterAdd(instantiate(tx), indices, instantiate(tUpdates), params),
  ],
  transpose: (ct, [x, indices, updates], params) => [
    isLinear(x) ? ct : null,
    null,
    isLinear(updates) ? readBack(ct, indices, updates.aval.shape, params, 0) : null,
  ],
  write: (data, updates, walk) => walk((at, from) => (data[at]! += updates[from]!)),
})

const mulPrimitive: Primitive<ScatterParams> = defineScatter('scatter-mul', {
  combiner: 'mul',
  tangent([x, indices, updates], [tx, tUpdates], params) {
    if (!isZero(tUpdates) && !params.uniqueIndices) {
      throw new MissingRuleError(
        'scatterMul: is differentiable with respect to the updates only with uniqueIndices\nhint: pass uniqueIndices: true if no element is updated twice',
      )
    }
    const out = scatterMul(x, indices, updates, params)
    // (x y)' = x' y + x y'
    const left = isZero(tx) ? tx : scatterMul(tx, indices, updates, params)
    const right = isZero(tUpdates) ? new Zero(out.aval) : mul(x, scatterAdd(fullLike(x, 0), indices, tUpdates, params))
    return [out, addTangents(left, right)]
  },
  transpose: (ct, [x, indices, updates], params) => [
    isLinear(x) ? scatterMul(ct, indices, known('scatterMul', updates), params) : null,
    null,
    isLinear(updates) ? readBack(mul(ct, known('scatterMul', x)), indices, updates.aval.shape, params, 0) : null,
  ],
  write(data, updates, walk) {
    const product =
      data instanceof Float32Array || data instanceof Float64Array ? (a: number, b: number): number => a * b : Math.imul
    walk((at, from) => (data[at] = product(data[at]!, updates[from]!)))
  },
})

/** Updates that tie, among each other or with what was there, share the tangent. */
const extremeTangent =
  (run: Scatter) =>
  (
    [x, indices, updates]: Args,
    [tx, tUpdates]: readonly [Tangent, Tangent],
    params: ScatterParams,
  ): readonly [NDArray, NDArray] => {
    const out = run(x, indices, updates, params)
    const dx = instantiate(tx)
    const read = (array: NDArray, fillValue = 1): NDArray => readBack(array, indices, updates.shape, params, fillValue)
    const one = scalarLike(updates, 1)
    const [ones, zeros] = [fullLike(updates, 1), fullLike(updates, 0)]
    const target = read(out)
    const won = eq(updates, target)
    const kept = eq(read(x), target)
    const countOf = (marks: NDArray): NDArray => read(scatterAdd(fullLike(x, 0), indices, marks, params))
    // How many of the updates of the same element won, and how many there are.
    const winners = countOf(selectN(won, zeros, ones))
    const all = countOf(ones)
    const withKept = div(one, add(winners, one))
    const updateShare = selectN(won, zeros, selectN(kept, div(one, winners), withKept))
    // The tangent of what was there is scaled to its share by what each update adds to it.
    const keptShare = div(sub(selectN(kept, zeros, withKept), one), all)
    const change = add(mul(read(dx, 0), keptShare), mul(instantiate(tUpdates), updateShare))
    return [out, scatterAdd(dx, indices, change, params)]
  }

const minPrimitive: Primitive<ScatterParams> = defineScatter('scatter-min', {
  combiner: 'min',
  tangent: (...rest) => extremeTangent(scatterMin)(...rest),
  write: (data, updates, walk) => walk((at, from) => (data[at] = Math.min(data[at]!, updates[from]!))),
})
const maxPrimitive: Primitive<ScatterParams> = defineScatter('scatter-max', {
  combiner: 'max',
  tangent: (...rest) => extremeTangent(scatterMax)(...rest),
  write: (data, updates, walk) => walk((at, from) => (data[at] = Math.max(data[at]!, updates[from]!))),
})
