/**
 * Scatter: updates written to places that an array of index vectors lists, or combined with what is there. Every element of the updates is a
 * point of its own; where several write the same element the last one remains, as in the reference.
 */
import { pointsOf } from '../../loops/visit.ts'
import { type Aval, type DType, isFloat } from '@fluxion/core'
import {
  assign,
  eq,
  forLoop,
  i32,
  isConst,
  isNarrow,
  load,
  local,
  narrow,
  store,
  update,
  variable,
  when,
} from '../../loops/build.ts'
import { flatIndex, indexAdd } from '../../loops/indices.ts'
import { type Buffer, type Combine, type Expr, Local, LoopVar, type Stmt } from '../../loops/ir.ts'
import type { KernelBuilder, KernelRow, Operand, Rows } from '../lowering.ts'
import { isIndex } from './gather.ts'
import { clampedIndex } from './indexing.ts'
import { combineOf } from './reduce.ts'
import { all } from './slicing.ts'

interface ScatterParams {
  readonly dimensionNumbers: {
    readonly updateWindowDims: readonly number[]
    readonly insertedWindowDims: readonly number[]
    readonly scatterDimsToOperandDims: readonly number[]
    readonly operandBatchingDims: readonly number[]
    readonly scatterIndicesBatchingDims: readonly number[]
  }
  readonly mode: 'clip' | 'fill' | 'drop' | 'promiseInBounds'
  readonly uniqueIndices: boolean
}

/** Loops over the updates, and where each of their elements goes. */
interface Walk {
  /** Axes along which no element is written twice: those of index vectors that go in step with an axis of the operand. */
  readonly apart: readonly LoopVar[]
  /** The other axes of index vectors. */
  readonly vectors: readonly LoopVar[]
  readonly window: readonly LoopVar[]
  /** Those axes of the window that lie where they lie in every window: along them too no element is written twice. */
  readonly fixed: readonly LoopVar[]
  /** The element's place in the result, in bounds whatever the index vector. */
  readonly place: Expr
  /** Whether its window lies inside. */
  readonly inside: Expr
  readonly value: Expr
}

function walkOf(
  { shape }: Aval,
  indices: Operand,
  updates: Operand,
  { dimensionNumbers: numbers, mode }: ScatterParams,
): Walk {
  const { updateWindowDims, insertedWindowDims, scatterDimsToOperandDims } = numbers
  const { operandBatchingDims, scatterIndicesBatchingDims } = numbers
  const loops = updates.aval.shape.map((size, axis) => new LoopVar(`i${axis}`, size))
  const window = updateWindowDims.map((axis) => loops[axis]!)
  const batch = loops.filter((_, axis) => !updateWindowDims.includes(axis))
  const vector = batch.map(variable)
  const conditions: Expr[] = []
  const fixed: LoopVar[] = []
  let seen = 0
  const place = shape.map((size, axis) => {
    const inStep = operandBatchingDims.indexOf(axis)
    if (inStep >= 0) return vector[scatterIndicesBatchingDims[inStep]!]!
    const along = insertedWindowDims.includes(axis) ? undefined : window[seen++]!
    const inWindow = along === undefined ? i32(0) : variable(along)
    const entry = scatterDimsToOperandDims.indexOf(axis)
    if (entry < 0) {
      if (along !== undefined) fixed.push(along)
      return inWindow
    }
    const start = indices.at([...vector, i32(entry)])
    const last = size - (along?.extent ?? 1)
    if (mode !== 'clip') conditions.push(isIndex(start, last))
    return indexAdd(clampedIndex(start, last), inWindow)
  })
  return {
    apart: batch.filter((_, axis) => scatterIndicesBatchingDims.includes(axis)),
    vectors: batch.filter((_, axis) => !scatterIndicesBatchingDims.includes(axis)),
    window,
    fixed,
    place: flatIndex(place, shape),
    inside: all(conditions),
    value: updates.at(loops.map(variable)),
  }
}
/** Statements for the elements that lie inside. */
const guarded = (inside: Expr, body: readonly Stmt[]): readonly Stmt[] =>
  isConst(inside, 1) ? body : [when(inside, body)]
const inTurn = (loops: readonly LoopVar[], body: readonly Stmt[]): readonly Stmt[] =>
  loops.reduceRight<readonly Stmt[]>((inner, v) => [forLoop(v, inner)], body)

/** Fill the buffer with the operand's elements, which it may hold already. */
function fill(build: KernelBuilder, name: string, { aval: { shape }, at }: Operand, out: Buffer): void {
  const grid = shape.map((size, axis) => new LoopVar(`i${axis}`, size))
  const index = grid.map(variable)
  build.nest(`${name}_copy`, grid, [store(out, flatIndex(index, shape), at(index))])
}

/** On a parallel target, up to so many elements of updates are gone through one after the other by one point. */
const few = 32

const set: KernelRow<ScatterParams> = {
  kind: 'kernels',
  emit(build, [x, indices, updates], params, [out]) {
    fill(build, 'scatter', x!, out!)
    if (x!.aval.shape.includes(0) || updates!.aval.shape.includes(0)) return
    const walk = walkOf(x!.aval, indices!, updates!, params)
    const { apart, vectors, window, fixed, place, inside, value } = walk
    const write = [store(out!, place, value)]
    const moved = window.filter((v) => !fixed.includes(v))
    if (params.uniqueIndices || pointsOf(vectors) === 1)
      build.nest('scatter', [...apart, ...vectors, ...window], guarded(inside, write))
    else if (!build.target.parallel)
      build.nest('scatter', apart, inTurn(vectors, guarded(inside, inTurn(window, write))))
    else if (pointsOf(vectors) * pointsOf(moved) <= few)
      build.nest('scatter', [...apart, ...fixed], inTurn(vectors, guarded(inside, inTurn(moved, write))))
    else lastOnes(build, out!, walk)
  },
}
/** All points at once: first each element's last update is found, then that one is written. */
function lastOnes(build: KernelBuilder, out: Buffer, { apart, vectors, window, place, inside, value }: Walk): void {
  const grid = [...apart, ...vectors, ...window]
  const element = new LoopVar('i', out.length)
  const winners = build.temporary('int32', out.length)
  const number = flatIndex(
    vectors.map(variable),
    vectors.map(({ extent }) => extent),
  )
  build.nest('scatter_none', [element], [store(winners, variable(element), i32(-1))])
  build.nest('scatter_last', grid, guarded(inside, [update(winners, place, 'max', number)]))
  const wins = new Local('wins', 'bool')
  const isLast = assign(wins, eq(load(winners, place), number))
  build.nest('scatter', grid, guarded(inside, [isLast, when(local(wins), [store(out, place, value)])]))
}

/** Combinations that round: 16-bit floats are combined as f32, so that they are rounded once however often an element is updated. */
const isRounding = (combine: Combine, dtype: DType): boolean =>
  isFloat(dtype) && isNarrow(dtype) && (combine === 'add' || combine === 'mul')

const combining = (combine: Combine): KernelRow<ScatterParams> => ({
  kind: 'kernels',
  emit(build, [x, indices, updates], params, [out]) {
    const name = `scatter_${combine}`
    const { dtype, shape } = x!.aval
    const wide = isRounding(combine, dtype)
    const target = wide ? build.temporary('float32', out!.length) : out!
    fill(build, name, x!, target)
    if (!shape.includes(0) && !updates!.aval.shape.includes(0)) {
      const { apart, vectors, window, place, inside, value } = walkOf(x!.aval, indices!, updates!, params)
      const combined = update(target, place, combineOf(combine, dtype), value)
      build.nest(name, [...apart, ...vectors, ...window], guarded(inside, [combined]))
    }
    if (!wide) return
    const element = new LoopVar('i', out!.length)
    const at = variable(element)
    build.nest(`${name}_round`, [element], [store(out!, at, narrow(dtype, load(target, at)))])
  },
})

export const scatterRows: Rows = {
  scatter: set,
  'scatter-add': combining('add'),
  'scatter-mul': combining('mul'),
  'scatter-min': combining('min'),
  'scatter-max': combining('max'),
}
