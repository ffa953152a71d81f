/** Reductions over sliding windows, and the choice of one element a window with which the extremes are differentiated. */
import { type DType, type Shape, highest, isFloat, lowest, sizeOf } from '@fluxion/core'
import {
  and,
  assign,
  constant,
  convert,
  eq,
  forLoop,
  ge,
  i32,
  le,
  load,
  local,
  lt,
  max,
  not,
  or,
  scalarType,
  select,
  store,
  update,
  variable,
  when,
} from '../../loops/build.ts'
import { flatIndex, indexAdd, indexDiv, indexMod, indexMul } from '../../loops/indices.ts'
import { type Combine, type Expr, Local, LoopVar, type Stmt } from '../../loops/ir.ts'
import type { At, KernelBuilder, KernelRow, Operand, Rows } from '../lowering.ts'
import { converted } from './elementwise/convert.ts'
import { numberOf } from './elements.ts'
import { combineOf, reducedElement } from './reduce.ts'
import { all, within } from './slicing.ts'

interface WindowParams {
  readonly windowDimensions: readonly number[]
  readonly windowStrides: readonly number[]
  readonly padding: readonly (readonly [low: number, high: number])[]
  readonly baseDilation: readonly number[]
  readonly windowDilation: readonly number[]
}
/** How windows lie along one axis: `spread` is between elements of the operand, `dilation` between those of a window. */
export interface Spacing {
  readonly stride: number
  readonly low: number
  readonly spread: number
  readonly dilation: number
}
/** The place along an axis of `size` of an element of a window, moved inside, and whether there is one, not padding or a hole. */
export function windowSpot(
  window: Expr,
  tap: Expr,
  size: number,
  { stride, low, spread, dilation }: Spacing,
): { readonly at: Expr; readonly inside: Expr } {
  const place = indexAdd(indexMul(window, stride), indexMul(tap, dilation), -low)
  const { at, inside } = within(indexDiv(place, spread), size)
  return { at, inside: and(inside, eq(indexMod(place, spread), i32(0))) }
}

/** Loops over windows and over the elements of one, and where such an element lies in the operand. */
interface Walk {
  readonly windows: readonly LoopVar[]
  readonly taps: readonly LoopVar[]
  /** In bounds, unless the operand is empty. */
  readonly index: readonly Expr[]
  /** Whether the window covers an element there, not padding or a hole. */
  readonly inside: Expr
}
function walkOf(shape: Shape, counts: Shape, params: WindowParams): Walk {
  const windows = counts.map((size, axis) => new LoopVar(`i${axis}`, size))
  const taps = params.windowDimensions.map((size, axis) => new LoopVar(`t${axis}`, size))
  const spots = shape.map((size, axis) =>
    windowSpot(variable(windows[axis]!), variable(taps[axis]!), size, {
      stride: params.windowStrides[axis]!,
      low: params.padding[axis]![0],
      spread: params.baseDilation[axis]!,
      dilation: params.windowDilation[axis]!,
    }),
  )
  return { windows, taps, index: spots.map(({ at }) => at), inside: all(spots.map(({ inside }) => inside)) }
}
/** The operand's elements; from memory where windows overlap, so that none is computed twice. */
function reader(build: KernelBuilder, operand: Operand, counts: Shape, { windowDimensions }: WindowParams): At {
  const { shape } = operand.aval
  if (sizeOf(counts) * sizeOf(windowDimensions) <= sizeOf(shape)) return operand.at
  const buffer = build.buffer(operand)
  return (index) => load(buffer, flatIndex(index, shape))
}

/** What a window over padding alone gives, in the dtype. */
function initial(combine: Combine, dtype: DType): Expr {
  if (combine === 'add') return numberOf(dtype, 0)
  return numberOf(dtype, combine === 'max' ? lowest(dtype) : highest(dtype))
}
const windowReduction = (name: string, combine: Combine): KernelRow<WindowParams> => ({
  kind: 'kernels',
  emit(build, [x], params, [out], [outAval]) {
    const { shape, dtype } = x!.aval
    const { windows, taps, index, inside } = walkOf(shape, outAval!.shape, params)
    const nothing = initial(combine, dtype)
    const value = shape.includes(0)
      ? nothing
      : select(inside, reader(build, x!, outAval!.shape, params)(index), nothing)
    const into = new Local('total', scalarType(dtype))
    build.nest(name, windows, [
      { op: 'reduce', variables: taps, accumulators: [{ into, combine: combineOf(combine, dtype), value }] },
      store(out!, flatIndex(windows.map(variable), outAval!.shape), reducedElement(combine, dtype, local(into))),
    ])
  },
})

interface SelectParams extends WindowParams {
  readonly selectPrim: 'ge' | 'le'
}
/** Find the element that a window chooses: the first that is at least, or at most, as large as all others. */
function choose(
  build: KernelBuilder,
  operand: Operand,
  counts: Shape,
  params: SelectParams,
): { readonly windows: readonly LoopVar[]; readonly search: readonly Stmt[]; readonly chosen: Expr } {
  const { shape, dtype } = operand.aval
  const { windows, taps, index, inside } = walkOf(shape, counts, params)
  const type = dtype === 'bool' ? 'u32' : scalarType(dtype)
  const [best, leader] = [new Local('best', 'i32'), new Local('leader', type)]
  const [value, wins] = [new Local('value', type), new Local('wins', 'bool')]
  const keeps = params.selectPrim === 'ge' ? ge : le
  const body: readonly Stmt[] = shape.includes(0)
    ? []
    : [
        assign(value, convert(type, reader(build, operand, counts, params)(index))),
        assign(wins, and(inside, or(lt(local(best), i32(0)), not(keeps(local(leader), local(value)))))),
        assign(best, select(local(wins), flatIndex(index, shape), local(best))),
        assign(leader, select(local(wins), local(value), local(leader))),
      ]
  const loops = taps.reduceRight<readonly Stmt[]>((inner, tap) => [forLoop(tap, inner)], body)
  return {
    windows,
    search: [assign(best, i32(-1)), assign(leader, constant(type, 0)), ...(body.length === 0 ? [] : loops)],
    /** The element's place in the operand; −1 for a window over padding alone. */
    chosen: local(best),
  }
}

const selectAndGatherAdd: KernelRow<SelectParams> = {
  kind: 'kernels',
  emit(build, [tangents, operand], params, [out], [outAval]) {
    const { shape, dtype } = outAval!
    const { windows, search, chosen } = choose(build, operand!, shape, params)
    const zero = numberOf(dtype, 0)
    const element = tangents!.aval.shape.includes(0)
      ? zero
      : select(lt(chosen, i32(0)), zero, load(build.buffer(tangents!), max(chosen, i32(0))))
    build.nest('select_and_gather_add', windows, [
      ...search,
      store(out!, flatIndex(windows.map(variable), shape), element),
    ])
  },
}

const selectAndScatterAdd: KernelRow<SelectParams> = {
  kind: 'kernels',
  emit(build, [source, operand], params, [out], [outAval]) {
    const name = 'select_and_scatter_add'
    const { dtype } = outAval!
    const wide = !isFloat(dtype) ? dtype : build.target.host ? 'float64' : 'float32'
    const sums = wide === dtype ? out! : build.temporary(wide, out!.length)
    const element = new LoopVar('i', out!.length)
    const at = variable(element)
    build.nest(`${name}_zero`, [element], [store(sums, at, numberOf(wide, 0))])
    const { windows, search, chosen } = choose(build, operand!, source!.aval.shape, params)
    const value = converted(source!.at(windows.map(variable)), dtype, wide)
    const combine = dtype === 'bool' ? 'or' : 'add'
    build.nest(name, windows, [...search, when(ge(chosen, i32(0)), [update(sums, chosen, combine, value)])])
    if (sums !== out!) build.nest(`${name}_round`, [element], [store(out!, at, converted(load(sums, at), wide, dtype))])
  },
}

export const windowRows: Rows = {
  reduce_window_sum: windowReduction('reduce_window_sum', 'add'),
  reduce_window_max: windowReduction('reduce_window_max', 'max'),
  reduce_window_min: windowReduction('reduce_window_min', 'min'),
  select_and_gather_add: selectAndGatherAdd,
  select_and_scatter_add: selectAndScatterAdd,
}
