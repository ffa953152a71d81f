/** Reductions along axes, and positions of extremes. */
import { type DType, dtypes, isFloat, sizeOf } from '@fluxion/core'
import {
  and,
  assign,
  convert,
  eq,
  forLoop,
  gt,
  i32,
  load,
  local,
  lt,
  isNarrow,
  max,
  min,
  narrow,
  ne,
  or,
  select,
  store,
  variable,
} from '../../loops/build.ts'
import { flatIndex, indexAdd, indexMul } from '../../loops/indices.ts'
import { type Combine, type Expr, Local, LoopVar, type Stmt } from '../../loops/ir.ts'
import type { KernelRow, ReduceRow, Rows } from '../lowering.ts'
import { converted } from './elementwise/convert.ts'
import { numberOf } from './elements.ts'

interface AxesParams {
  readonly axes: readonly number[]
}
const reduction = (combine: Combine): ReduceRow<AxesParams> => ({ kind: 'reduce', axes: ({ axes }) => axes, combine })

/** How values of a dtype are combined: of truth values the largest is their disjunction, the smallest their conjunction. */
export const combineOf = (combine: Combine, dtype: DType): Combine =>
  dtype !== 'bool' ? combine : combine === 'max' ? 'or' : combine === 'min' ? 'and' : combine

/** A combination in the machine type as an element of the dtype: the extreme of nothing is that of the narrow type's range. */
export function reducedElement(combine: Combine, dtype: DType, total: Expr): Expr {
  if (dtype === 'bool' || isFloat(dtype) || (combine !== 'max' && combine !== 'min')) return narrow(dtype, total)
  if (!isNarrow(dtype)) return total
  return min(max(total, numberOf(dtype, dtypes[dtype].min)), numberOf(dtype, dtypes[dtype].max))
}

interface ArgParams extends AxesParams {
  readonly indexDtype: DType
}
type Beats = (x: Expr, leader: Expr) => Expr
const isNan = (x: Expr): Expr => ne(x, x)
const isFloating = (x: Expr): boolean => x.type === 'f32' || x.type === 'f64'

/** The best of the values that lie at 0 … count − 1, and its position: the first NaN, else the first that none beats. */
function leading(
  beats: Beats,
  count: LoopVar,
  extent: Expr,
  first: { readonly value: Expr; readonly position: Expr },
  next: (turn: Expr) => { readonly value: Expr; readonly position: Expr },
): { readonly best: Local; readonly position: Local; readonly body: readonly Stmt[] } {
  const best = new Local('best', first.value.type)
  const position = new Local('position', 'i32')
  const value = new Local('value', first.value.type)
  const better = new Local('better', 'bool')
  const candidate = next(variable(count))
  const [x, leader] = [local(value), local(best)]
  const wins = isFloating(x) ? and(eq(leader, leader), or(isNan(x), beats(x, leader))) : beats(x, leader)
  const body = [
    assign(best, first.value),
    assign(position, first.position),
    forLoop(
      count,
      [
        assign(value, candidate.value),
        assign(better, wins),
        assign(best, select(local(better), x, leader)),
        assign(position, select(local(better), candidate.position, local(position))),
      ],
      extent,
    ),
  ]
  return { best, position, body }
}

/** Axes longer than this are searched in parts, where many points run at once. */
const longest = 512

const argReduction = (name: string, beats: Beats): KernelRow<ArgParams> => ({
  kind: 'kernels',
  emit(build, [x], { axes, indexDtype }, [out], [outAval]) {
    const axis = axes[0]!
    const { shape, dtype } = x!.aval
    const length = shape[axis]!
    const grid = outAval!.shape.map((size, i) => new LoopVar(`i${i}`, size))
    const kept = grid.map(variable)
    const at = (place: Expr): Expr => {
      const element = x!.at([...kept.slice(0, axis), place, ...kept.slice(axis)])
      return element.type === 'bool' ? convert('u32', element) : element
    }
    const to = flatIndex(kept, outAval!.shape)
    if (!build.target.parallel || length <= longest) {
      const turns = new LoopVar('j', length - 1)
      const { position, body } = leading(
        beats,
        turns,
        i32(length - 1),
        { value: at(i32(0)), position: i32(0) },
        (turn) => ({ value: at(indexAdd(turn, 1)), position: indexAdd(turn, 1) }),
      )
      build.nest(name, grid, [...body, store(out!, to, converted(local(position), 'int32', indexDtype))])
      return
    }
    // parts first, then the best of the parts
    const each = Math.ceil(Math.sqrt(length))
    const parts = Math.ceil(length / each)
    const rows = sizeOf(outAval!.shape)
    const wide = dtype === 'bool' ? 'uint32' : dtype
    const bests = build.temporary(wide, rows * parts)
    const positions = build.temporary('int32', rows * parts)
    const part = new LoopVar('part', parts)
    const start = indexMul(variable(part), each)
    const inPart = leading(
      beats,
      new LoopVar('j', each - 1),
      min(i32(each - 1), indexAdd(length - 1, indexMul(start, -1))),
      { value: at(start), position: start },
      (turn) => ({ value: at(indexAdd(start, turn, 1)), position: indexAdd(start, turn, 1) }),
    )
    const slot = indexAdd(indexMul(to, parts), variable(part))
    build.nest(
      `${name}_parts`,
      [...grid, part],
      [...inPart.body, store(bests, slot, local(inPart.best)), store(positions, slot, local(inPart.position))],
    )
    const from = indexMul(to, parts)
    const read = (turn: Expr) => ({
      value: load(bests, indexAdd(from, turn)),
      position: load(positions, indexAdd(from, turn)),
    })
    const overall = leading(beats, new LoopVar('j', parts - 1), i32(parts - 1), read(i32(0)), (turn) =>
      read(indexAdd(turn, 1)),
    )
    build.nest(name, grid, [...overall.body, store(out!, to, converted(local(overall.position), 'int32', indexDtype))])
  },
})

export const reduceRows: Rows = {
  reduce_sum: reduction('add'),
  reduce_prod: reduction('mul'),
  reduce_max: reduction('max'),
  reduce_min: reduction('min'),
  reduce_and: reduction('and'),
  reduce_or: reduction('or'),
  reduce_xor: reduction('xor'),
  argmax: argReduction('argmax', gt),
  argmin: argReduction('argmin', lt),
}
