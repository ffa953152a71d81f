/**
 * Long reductions in two stages. Those along rows that lie apart, such as the sums of a matrix's columns: first those of a few rows each, all columns
 * of which are read as they lie in memory, then those of what that gives. And those with few results, such as the sum of all elements: in parts, which
 * threads can share.
 */
import { type DType, bytesOf } from '@fluxion/core'
import { assign, binary, load, local, store, variable } from '../loops/build.ts'
import { flatIndex, indexAdd, indexMul, linearIn } from '../loops/indices.ts'
import { Buffer, type Expr, Local, LoopVar, type Nest, type Reduce, type ScalarType, type Stmt } from '../loops/ir.ts'
import {
  buffersOf,
  mapStatement,
  pointsOf,
  substituting,
  walk,
  walkExpressions,
  walkStatements,
} from '../loops/visit.ts'
import { mapSteps } from './places.ts'
import { type Launch, type Place, type Program, Slot, placeOf } from './program.ts'

/** Fewer elements than this, over all operands, stay in a second-level cache between columns. */
const leastBytes = 256 * 1024
/** What a part of the rows may take, so that it is in that cache for all its columns. */
const partBytes = 128 * 1024
/** Rows of a part: a chain of additions as printers sum it, or a few. */
const [fewestRows, mostRows] = [16, 64]

/** Reductions with so few results and so many turns in all go in about as many parts. */
const [fewResults, manyTurns, partsInAll] = [8, 2 ** 18, 32]

const dtypes: Readonly<Record<ScalarType, DType>> = {
  f32: 'float32',
  f64: 'float64',
  i32: 'int32',
  u32: 'uint32',
  bool: 'bool',
}

/** The program with its long reductions in two stages: those that read at least so many bytes, or with few results that take so many turns. */
export function stageReductions(program: Program, least: number = leastBytes, many: number = manyTurns): Program {
  const steps = mapSteps(program.steps, (step) => {
    if (step.op !== 'launch' || step.kernel.kind !== 'nest') return [step]
    return staged(step, step.kernel, least, many) ?? [step]
  })
  return { ...program, steps }
}

/** The variables of a reduction cut: parts of some rows each, and rows that no part has. */
interface Cut {
  /** Whole loops around the parts. */
  readonly outer: readonly LoopVar[]
  readonly at: LoopVar
  readonly rows: number
  readonly parts: number
  readonly rest: number
  /** Loops inside of a row. */
  readonly inside: readonly LoopVar[]
}
function cutOf(reduce: Reduce, grid: readonly LoopVar[], least: number): Cut | undefined {
  const { variables } = reduce
  const column = grid.at(-1)
  const last = variables.at(-1)
  if (column === undefined || last === undefined || pointsOf(grid) * pointsOf(variables) === 0) return undefined
  let rowBytes = 0
  let along = false
  let apart = true
  walkExpressions([reduce], (x) => {
    if (x.op !== 'load') return
    const overColumns = linearIn(x.index, column)
    if (linearIn(x.index, last)?.coefficient === 1) apart = false
    if (overColumns?.coefficient !== 1) return
    along = true
    rowBytes += column.extent * bytesOf(x.buffer.dtype)
  })
  if (!along || !apart || rowBytes * pointsOf(variables) < least) return undefined
  const wanted = Math.min(mostRows, Math.max(fewestRows, Math.floor(partBytes / rowBytes / fewestRows) * fewestRows))
  let turns = 1
  for (let at = variables.length - 1; at >= 0; at--) {
    const here = variables[at]!
    if (turns * here.extent >= wanted || at === 0) {
      const rows = Math.min(here.extent, Math.max(1, Math.floor(wanted / turns)))
      const parts = Math.floor(here.extent / rows)
      const outer = variables.slice(0, at)
      if (parts * pointsOf(outer) < 2) return undefined
      return { outer, at: here, rows, parts, rest: here.extent - parts * rows, inside: variables.slice(at + 1) }
    }
    turns *= here.extent
  }
  return undefined
}

/** Parts of a reduction with few results: outer loops whole, then the first one that can be cut, without much of a rest. */
function cutInParts({ variables }: Reduce, grid: readonly LoopVar[], many: number): Cut | undefined {
  const results = pointsOf(grid)
  if (results === 0 || results > fewResults || results * pointsOf(variables) < many) return undefined
  let parts = Math.ceil(partsInAll / results)
  for (const [i, at] of variables.entries()) {
    const cut = (count: number): Cut => {
      const rows = Math.floor(at.extent / count)
      const rest = at.extent - rows * count
      return { outer: variables.slice(0, i), at, rows, parts: count, rest, inside: variables.slice(i + 1) }
    }
    for (let count = parts; count <= Math.min(4 * parts, at.extent); count++)
      if (at.extent % count === 0 && (count > 1 || i > 0)) return cut(count)
    if (at.extent >= 16 * parts) return cut(parts)
    parts = Math.ceil(parts / at.extent)
  }
  return undefined
}

/** The assignments of a body that a reduction needs, in order; nothing if it needs more than that. */
function needsOf(reduce: Reduce, before: readonly Stmt[]): readonly Stmt[] | undefined {
  const needed: Stmt[] = []
  const open = new Set<Local>()
  const stored = new Set<Buffer>()
  walkStatements(before, (s) => void ((s.op === 'store' || s.op === 'update') && stored.add(s.buffer)))
  let fits = true
  const require = (x: Expr): void =>
    walk(x, (part) => {
      if (part.op === 'local') open.add(part.local)
      if (part.op === 'load' && stored.has(part.buffer)) fits = false
    })
  for (const { value } of reduce.accumulators) require(value)
  for (const statement of before.toReversed()) {
    if (statement.op === 'assign' && open.delete(statement.local)) {
      needed.unshift(statement)
      require(statement.value)
    }
  }
  // A local that is assigned more than once, or in a branch, would leave some of its assignments out.
  const assigned = new Map<Local, number>()
  walkStatements(before, (s) => void (s.op === 'assign' && assigned.set(s.local, (assigned.get(s.local) ?? 0) + 1)))
  const once = needed.every((s) => s.op === 'assign' && assigned.get(s.local) === 1)
  return fits && once && open.size === 0 ? needed : undefined
}

function staged({ args }: Launch, nest: Nest, least: number, many: number): Launch[] | undefined {
  const places = new Map<Buffer, Place>(nest.params.map((buffer, at) => [buffer, args[at]!]))
  const launches: Launch[] = []
  const launch = (kernel: Omit<Nest, 'params'>): void => {
    const params = buffersOf(kernel)
    launches.push({ op: 'launch', kernel: { ...kernel, params }, args: params.map((buffer) => places.get(buffer)!) })
  }
  const body = nest.body.flatMap((statement, at): readonly Stmt[] => {
    if (statement.op !== 'reduce') return [statement]
    const cut = cutOf(statement, nest.grid, least) ?? cutInParts(statement, nest.grid, many)
    const needs = cut && needsOf(statement, nest.body.slice(0, at))
    if (cut === undefined || needs === undefined) return [statement]
    const { first, second } = stages(statement, cut, needs, nest, places)
    launch(first)
    return second
  })
  if (launches.length === 0) return undefined
  launch({ ...nest, body })
  return launches
}

/** The nest that reduces each part, and the statements that reduce what the parts gave. */
function stages(
  { accumulators }: Reduce,
  { outer, at, rows, parts, rest, inside }: Cut,
  needs: readonly Stmt[],
  { name, grid }: Nest,
  places: Map<Buffer, Place>,
): { readonly first: Omit<Nest, 'params'>; readonly second: readonly Stmt[] } {
  const extents = grid.map(({ extent }) => extent)
  const size = pointsOf(grid)
  const count = pointsOf(outer) * parts
  const partials = accumulators.map(({ into }) => {
    const dtype = dtypes[into.type]
    const buffer = new Buffer('parts', dtype, count * size)
    places.set(buffer, placeOf(new Slot(dtype, count * size)))
    return buffer
  })
  const part = new LoopVar('part', parts)
  /** The same reduction over some of the rows, into other locals. */
  const over = (around: readonly LoopVar[], turns: number, place: (row: Expr) => Expr, suffix: string): Reduce => {
    const row = new LoopVar(at.name, turns)
    const loops = [...around, row, ...inside]
    const values = new Map([[at, place(variable(row))]])
    const reduce = { op: 'reduce', variables: loops, accumulators } as const
    const moved = mapStatement(reduce, substituting(values)) as Reduce
    const renamed = moved.accumulators.map((each) => ({
      ...each,
      into: new Local(each.into.name + suffix, each.into.type),
    }))
    return { ...moved, accumulators: renamed }
  }
  const fresh = [...outer, part].map((v) => new LoopVar(v.name, v.extent))
  const placeIn = (turns: readonly LoopVar[]): Expr =>
    indexAdd(
      indexMul(
        flatIndex(
          turns.map(variable),
          turns.map(({ extent }) => extent),
        ),
        size,
      ),
      flatIndex(grid.map(variable), extents),
    )
  const inPart = over([], rows, (row) => indexAdd(indexMul(variable(part), rows), row), '')
  const first = {
    kind: 'nest',
    name: `${name}_parts`,
    grid: [...outer, part, ...grid],
    body: [
      ...needs,
      inPart,
      ...inPart.accumulators.map(({ into }, i) => store(partials[i]!, placeIn([...outer, part]), local(into))),
    ],
  } as const
  const joined: Reduce = {
    op: 'reduce',
    variables: fresh,
    accumulators: accumulators.map((each, i) => ({ ...each, value: load(partials[i]!, placeIn(fresh)) })),
  }
  if (rest === 0) return { first, second: [joined] }
  const left = over(outer, rest, (row) => indexAdd(row, parts * rows), '')
  const gathered = joined.accumulators.map((each) => ({ ...each, into: new Local(each.into.name, each.into.type) }))
  return {
    first,
    second: [
      { ...joined, accumulators: gathered },
      left,
      ...accumulators.map(({ into, combine }, i) =>
        assign(into, binary(combine, local(gathered[i]!.into), local(left.accumulators[i]!.into))),
      ),
    ],
  }
}
