// Cases of primitives that read and write at positions known only at run time, and of sorting.
import { type Case, type Entry, type Operand, type Table, everything, floats, numbers } from './cases.ts'

type IndexMode = 'clip' | 'fill' | 'drop' | 'promiseInBounds'

const start = (...values: number[]): Operand => ({ shape: [], dtype: 'int32', values })
/** Starts inside, and some that have to be moved there. */
const dynamicSlices: Case[] = [
  { operands: [{ shape: [5] }, start(1, 4)], params: { sliceSizes: [2] } },
  { operands: [{ shape: [3, 4] }, start(1, -7), start(3, 0)], params: { sliceSizes: [2, 2] } },
  { operands: [{ shape: [3, 4] }, start(2, 0), start(0)], params: { sliceSizes: [1, 4] } },
  { operands: [{ shape: [3] }, start(1)], params: { sliceSizes: [0] } },
  { operands: [{ shape: [] }], params: { sliceSizes: [] } },
]
const updates: Case[] = [
  { operands: [{ shape: [5] }, { shape: [2] }, start(1, 4)], params: {} },
  { operands: [{ shape: [3, 4] }, { shape: [2, 2] }, start(1, -7), start(3, 0)], params: {} },
  { operands: [{ shape: [3, 4] }, { shape: [1, 4] }, start(2), start(0)], params: {} },
  { operands: [{ shape: [3] }, { shape: [0] }, start(1)], params: {} },
  { operands: [{ shape: [] }, { shape: [] }], params: {} },
]

/** One way to address an operand: rows, elements, windows, or rows of a batch in step with the indices. */
interface Addressing {
  readonly operand: readonly number[]
  readonly indices: readonly number[]
  readonly values: readonly number[]
  readonly result: readonly number[]
  readonly offset: readonly number[]
  readonly collapsed: readonly number[]
  readonly map: readonly number[]
  readonly batch?: readonly [operand: readonly number[], indices: readonly number[]]
  readonly sizes: readonly number[]
}
const addressings: readonly Addressing[] = [
  {
    operand: [4, 3],
    indices: [2, 1],
    values: [2, 0],
    result: [2, 3],
    offset: [1],
    collapsed: [0],
    map: [0],
    sizes: [1, 3],
  },
  { operand: [4], indices: [3, 1], values: [3, 0, 2], result: [3], offset: [], collapsed: [0], map: [0], sizes: [1] },
  {
    operand: [4, 3],
    indices: [2, 2],
    values: [1, 2, 3, 0],
    result: [2],
    offset: [],
    collapsed: [0, 1],
    map: [0, 1],
    sizes: [1, 1],
  },
  {
    operand: [6, 2],
    indices: [2, 1],
    values: [0, 3],
    result: [2, 3, 2],
    offset: [1, 2],
    collapsed: [],
    map: [0],
    sizes: [3, 2],
  },
  {
    operand: [2, 4],
    indices: [2, 2, 1],
    values: [1, 3, 0, 2],
    result: [2, 2],
    offset: [],
    collapsed: [1],
    map: [1],
    batch: [[0], [0]],
    sizes: [1, 1],
  },
  {
    operand: [4, 3],
    indices: [0, 1],
    values: [0],
    result: [0, 3],
    offset: [1],
    collapsed: [0],
    map: [0],
    sizes: [1, 3],
  },
]
/** Indices of which one lies outside, for the modes that differ there. */
const outside: Addressing = {
  operand: [4, 3],
  indices: [3, 1],
  values: [2, 9, 0],
  result: [3, 3],
  offset: [1],
  collapsed: [0],
  map: [0],
  sizes: [1, 3],
}
/** Two of the three write to the same element. */
const repeated: Addressing = {
  operand: [4],
  indices: [3, 1],
  values: [1, 3, 1],
  result: [3],
  offset: [],
  collapsed: [0],
  map: [0],
  sizes: [1],
}

const indexOf = (a: Addressing): Operand => ({ shape: a.indices, dtype: 'int32', values: a.values })
const gatherCase = (a: Addressing, mode: IndexMode, fillValue: number | null): Case => ({
  operands: [{ shape: a.operand }, indexOf(a)],
  params: {
    dimensionNumbers: {
      offsetDims: a.offset,
      collapsedSliceDims: a.collapsed,
      startIndexMap: a.map,
      operandBatchingDims: a.batch?.[0] ?? [],
      startIndicesBatchingDims: a.batch?.[1] ?? [],
    },
    sliceSizes: a.sizes,
    mode,
    fillValue,
    uniqueIndices: false,
    indicesAreSorted: false,
  },
  dtypes: everything,
  linear: [[0]],
})
const scatterCase = (a: Addressing, mode: IndexMode, unique: boolean, rest: Partial<Case>): Case => ({
  operands: [{ shape: a.operand }, indexOf(a), { shape: a.result }],
  params: {
    dimensionNumbers: {
      updateWindowDims: a.offset,
      insertedWindowDims: a.collapsed,
      scatterDimsToOperandDims: a.map,
      operandBatchingDims: a.batch?.[0] ?? [],
      scatterIndicesBatchingDims: a.batch?.[1] ?? [],
    },
    mode,
    uniqueIndices: unique,
    indicesAreSorted: false,
  },
  dtypes: numbers,
  ...rest,
})
/** `unique`: what holds where no element is written twice; `shared`: where one may be. */
const scatters = (unique: Partial<Case>, shared: Partial<Case>): Entry => ({
  cases: [
    ...addressings.map((a) => scatterCase(a, 'drop', true, unique)),
    ...addressings.slice(0, 2).map((a) => scatterCase(a, 'promiseInBounds', false, shared)),
    scatterCase(outside, 'drop', true, unique),
    scatterCase(outside, 'clip', true, unique),
    scatterCase(repeated, 'drop', false, shared),
  ],
})

const sorted = (shape: readonly number[], dimension: number, numKeys: number, count: number): Case => ({
  operands: Array.from({ length: count }, () => ({ shape })),
  params: { dimension, isStable: true, numKeys },
  dtypes: everything,
})

export const indexing: Table = {
  dynamic_slice: { cases: dynamicSlices.map((one) => ({ ...one, dtypes: everything, linear: [[0]] })) },
  dynamic_update_slice: { cases: updates.map((one) => ({ ...one, dtypes: everything, linear: [[0, 1], [0], [1]] })) },
  gather: {
    cases: [
      ...addressings.map((a) => gatherCase(a, 'fill', null)),
      gatherCase(outside, 'clip', null),
      gatherCase(outside, 'fill', 7),
      gatherCase(repeated, 'promiseInBounds', null),
    ].map((one, i) => (i === 7 ? { ...one, dtypes: numbers, order: 2, linear: [] } : one)),
  },
  scatter: scatters({ linear: [[0, 2], [0], [2]] }, {}),
  'scatter-add': scatters({ linear: [[0, 2], [0], [2]] }, { linear: [[0, 2], [0], [2]] }),
  'scatter-mul': scatters({ linear: [[0], [2]].slice(0, 1) }, { by: [0], linear: [[0]] }),
  'scatter-min': scatters({}, {}),
  'scatter-max': scatters({}, {}),
  sort: {
    cases: [
      sorted([4], 0, 1, 1),
      sorted([2, 3], 1, 1, 2),
      sorted([3, 2], 0, 2, 3),
      sorted([0], 0, 1, 1),
      sorted([2, 3], 0, 1, 1),
    ],
  },
  top_k: {
    cases: [
      { operands: [{ shape: [5] }], params: { axis: 0, k: 2 }, dtypes: numbers },
      { operands: [{ shape: [2, 4] }], params: { axis: 1, k: 3 }, dtypes: floats },
      { operands: [{ shape: [3, 2] }], params: { axis: 0, k: 0 }, dtypes: floats },
    ],
  },
}
