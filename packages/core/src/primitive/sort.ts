/** Sorting: several operands by the first of them, and the largest elements. */
import type { NDArray } from '../array.ts'
import type { HostArray, TypedArray } from '../backend/interface.ts'
import { allocate, hostZeros } from '../backend/reference/host.ts'
import { type DType, isFloat } from '../dtype.ts'
import { ShapeError, misuse } from '../errors.ts'
import { aval, showAval } from '../ir/aval.ts'
import { type Shape, range, sizeOf, without } from '../shape.ts'
import { bind } from '../trace.ts'
import { allBut } from './axes.ts'
import { type Primitive, type Tangent, Zero, definePrimitive } from './define.ts'
import { gather } from './gather.ts'
import { batchInFront, expandDims, iota, moveAxis } from './movement.ts'
import { isZero } from './rules.ts'

type Compare = (a: number, b: number) => number
/** NaN comes last, whatever its sign; zeros of both signs are equal. */
const compareFloats: Compare = (a, b) => {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b) return 0
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}
const compareIntegers: Compare = (a, b) => a - b
const comparisonOf = (dtype: DType): Compare => (isFloat(dtype) ? compareFloats : compareIntegers)

/** The lines along an axis: their length, and for each the offset of its first element; elements are `step` apart. */
function linesOf(shape: Shape, axis: number): { length: number; step: number; starts: number[] } {
  const length = shape[axis]!
  const step = sizeOf(shape.slice(axis + 1))
  const outer = sizeOf(shape.slice(0, axis))
  return { length, step, starts: range(outer).flatMap((o) => range(step).map((i) => o * length * step + i)) }
}
function readLine(line: TypedArray, data: TypedArray, start: number, step: number): void {
  for (let i = 0, at = start; i < line.length; i++, at += step) line[i] = data[at]!
}

/** Sort a line of one operand in place. The typed array's own order puts −0 before 0: zeros get back the order that they came in. */
function sortLine(line: TypedArray, isFloating: boolean): void {
  const zeros: number[] = []
  if (isFloating) for (const value of line) if (value === 0) zeros.push(value)
  line.sort()
  if (zeros.some((zero) => Object.is(zero, -0)))
    line.set(
      zeros,
      line.findIndex((value) => value === 0),
    )
}

function sortHost(operands: readonly HostArray[], axis: number, keyCount: number): HostArray[] {
  const [first] = operands
  const { length, step, starts } = linesOf(first!.shape, axis)
  const outs = operands.map(hostZeros)
  const keys = operands
    .slice(0, keyCount)
    .map((key) => ({ ...key, line: allocate(key.dtype, length), compare: comparisonOf(key.dtype) }))
  const compare: Compare = (a, b) => {
    for (const key of keys) {
      const order = key.compare(key.line[a]!, key.line[b]!)
      if (order !== 0) return order
    }
    return 0
  }
  for (const start of starts) {
    for (const key of keys) readLine(key.line, key.data, start, step)
    if (operands.length === 1) {
      const { line, dtype } = keys[0]!
      sortLine(line, isFloat(dtype))
      for (let i = 0, at = start; i < length; i++, at += step) outs[0]!.data[at] = line[i]!
      continue
    }
    const order = Uint32Array.from({ length }, (_, i) => i).sort(compare)
    outs.forEach(({ data }, k) => {
      const source = operands[k]!.data
      for (let i = 0, at = start; i < length; i++, at += step) data[at] = source[start + order[i]! * step]!
    })
  }
  return outs
}

/** Take from a tangent along an axis what an operation took from its operand: `indices` are positions on that axis. */
function takeAlong(t: NDArray, indices: NDArray, axis: number): NDArray {
  const others = without(range(t.ndim), [axis])
  return gather(t, expandDims(indices, [t.ndim]), {
    dimensionNumbers: {
      offsetDims: [],
      collapsedSliceDims: [axis],
      startIndexMap: [axis],
      operandBatchingDims: others,
      startIndicesBatchingDims: others,
    },
    sliceSizes: t.shape.map(() => 1),
  })
}

interface SortParams {
  readonly dimension: number
  readonly isStable: boolean
  readonly numKeys: number
}

const sortPrimitive: Primitive<SortParams> = definePrimitive({
  name: 'sort',
  type(operands, { dimension, numKeys }) {
    const first = operands[0]
    const shown = operands.map(showAval).join(' and ')
    if (
      first === undefined ||
      operands.some((x) => x.shape.length !== first.shape.length || x.shape.some((dim, i) => dim !== first.shape[i]))
    ) {
      throw new ShapeError(misuse('sort', 'operands of one shape', shown || 'none'))
    }
    if (first.shape[dimension] === undefined)
      throw new ShapeError(misuse('sort', `an axis of ${showAval(first)}`, `${dimension}`))
    if (!Number.isInteger(numKeys) || numKeys < 1 || numKeys > operands.length) {
      throw new ShapeError(misuse('sort', `numKeys from 1 to the number of operands, ${operands.length}`, `${numKeys}`))
    }
    return operands
  },
  jvp(operands, tangents, params) {
    const { dimension } = params
    const places = iota('uint32', operands[0]!.shape, dimension)
    const outs = sort([...operands, places], params)
    const order = outs.pop()!
    return [
      outs,
      tangents.map((t, i): Tangent => (isZero(t) ? new Zero(outs[i]!.aval) : takeAlong(t, order, dimension))),
    ]
  },
  batch(operands, dims, params, { size }) {
    // All operands follow the first that has a batch axis, so that this one stays as it is.
    const at = dims.find((dim) => dim !== null)!
    const moved = operands.map((x, i) => (dims[i] === at ? x : moveAxis(batchInFront(x, dims[i]!, size), 0, at)))
    const outs = sort(moved, { ...params, dimension: params.dimension >= at ? params.dimension + 1 : params.dimension })
    return [outs, outs.map(() => at)]
  },
  // along the sorted dimension every element needs all others
  axes: allBut(({ dimension }) => [dimension]),
  reference: (operands, { dimension, numKeys }) => sortHost(operands, dimension, numKeys),
})
/** Sort operands along an axis by the first `numKeys` of them, from the first on: NaN last, −0 equal to 0. */
export const sort = (operands: readonly NDArray[], params: SortParams): NDArray[] => [
  ...bind(sortPrimitive, operands, params),
]

interface TopKParams {
  readonly axis: number
  readonly k: number
}

const topKPrimitive: Primitive<TopKParams> = definePrimitive({
  name: 'top_k',
  type([x], { axis, k }) {
    if (x!.shape[axis] === undefined) throw new ShapeError(misuse('topK', `an axis of ${showAval(x!)}`, `${axis}`))
    if (!Number.isInteger(k) || k < 0)
      throw new ShapeError(misuse('topK', 'k to be an integer and not negative', `${k}`))
    if (k > x!.shape[axis])
      throw new ShapeError(misuse('topK', `k at most the size of axis ${axis} of ${showAval(x!)}`, `${k}`))
    const shape = x!.shape.map((dim, i) => (i === axis ? k : dim))
    return [aval(shape, x!.dtype, x!.weakType), aval(shape, 'int32', x!.weakType)]
  },
  jvp([x], tangents, { axis, k }) {
    const [values, indices] = topK(x!, k, axis)
    const t = tangents[0]!
    return [
      [values, indices],
      [isZero(t) ? new Zero(values.aval) : takeAlong(t, indices, axis), new Zero(indices.aval)],
    ]
  },
  batch([x], [dim], { axis, k }) {
    return [topK(x!, k, axis >= dim! ? axis + 1 : axis), [dim!, dim!]]
  },
  axes: allBut(({ axis }) => [axis]),
  reference([x], { axis, k }, [out, indexOut]) {
    const { length, step, starts } = linesOf(x!.shape, axis)
    const line = allocate(x!.dtype, length)
    const compare = comparisonOf(x!.dtype)
    const [values, indices] = [hostZeros(out!), hostZeros(indexOut!)]
    // The largest first; here 0 is larger than −0, and equal elements keep their order.
    const descending: Compare = (a, b) =>
      compare(line[b]!, line[a]!) || Number(Object.is(line[a], -0)) - Number(Object.is(line[b], -0)) || a - b
    starts.forEach((start, n) => {
      readLine(line, x!.data, start, step)
      const order = Uint32Array.from({ length }, (_, i) => i).sort(descending)
      const first = Math.floor(n / step) * k * step + (n % step)
      for (let i = 0, at = first; i < k; i++, at += step) {
        values.data[at] = line[order[i]!]!
        indices.data[at] = order[i]!
      }
    })
    return [values, indices]
  },
})
/** The `k` largest elements along an axis, the last by default, and their positions; of equal ones the first comes first. */
export function topK(x: NDArray, k: number, axis: number = x.ndim - 1): [values: NDArray, indices: NDArray] {
  const [values, indices] = bind(topKPrimitive, [x], { axis, k })
  return [values!, indices!]
}
