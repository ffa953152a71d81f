/**
 * Sorts lines of elements, stably: in one go for each line by merging ever longer runs, or for all elements at once, each of which finds its
 * place in a merged run by a binary search (Cormen et al., "Introduction to Algorithms", chapter on multithreaded merging).
 */
import { pointsOf } from '../../../loops/visit.ts'
import type { DType } from '@fluxion/core'
import {
  add,
  assign,
  convert,
  forLoop,
  i32,
  load,
  local,
  lt,
  min,
  not,
  scalarType,
  select,
  shr,
  store,
  sub,
  and,
  variable,
  when,
  whilst,
} from '../../../loops/build.ts'
import { flatIndex, indexAdd, indexDiv, indexMod, indexMul } from '../../../loops/indices.ts'
import { type Buffer, type Expr, Local, LoopVar, type Stmt } from '../../../loops/ir.ts'
import type { KernelBuilder } from '../../lowering.ts'
import type { After } from './order.ts'

/** One of the arrays that are sorted along with each other. */
export interface Column {
  readonly dtype: DType
  /** The value of an element by its number in the line. */
  readonly read: (number: Expr) => Expr
  readonly out: Buffer
}
export interface Lines {
  readonly name: string
  /** Loops over the lines. */
  readonly grid: readonly LoopVar[]
  readonly length: number
  /** So many elements of each line are wanted, the first ones. */
  readonly kept: number
  readonly columns: readonly Column[]
  readonly after: After
  /** Where the element that comes to a number goes, in all results. */
  readonly place: (number: Expr) => Expr
  /** Whether that is where it lies in an array of lines, one after the other. */
  readonly isContiguous: boolean
}

const lineOf = ({ grid }: Lines): Expr =>
  flatIndex(
    grid.map(variable),
    grid.map(({ extent }) => extent),
  )
/** Memory for all lines, one after the other, for each column. */
function linesOf(build: KernelBuilder, { grid, length, columns }: Lines): Buffer[] {
  const size = length * pointsOf(grid)
  return columns.map(({ dtype }) => build.temporary(dtype, size))
}
const loads = (buffers: readonly Buffer[], at: Expr): Expr[] => buffers.map((buffer) => load(buffer, at))
const stores = (buffers: readonly Buffer[], at: Expr, values: readonly Expr[]): Stmt[] =>
  buffers.map((buffer, i) => store(buffer, at, values[i]!))

export function sortLines(build: KernelBuilder, lines: Lines): void {
  if (build.target.parallel) sortElements(build, lines)
  else mergeLines(build, lines)
}

/** Line by line. */
function mergeLines(build: KernelBuilder, lines: Lines): void {
  const { name, grid, length, kept, columns, place, isContiguous } = lines
  const outs = columns.map(({ out }) => out)
  const inOuts = isContiguous && kept === length
  const [sorted, other] = [inOuts ? outs : linesOf(build, lines), linesOf(build, lines)]
  const base = indexMul(lineOf(lines), length)
  const element = new LoopVar('j', length)
  const at = variable(element)
  build.nest(
    `${name}_fill`,
    [...grid, element],
    stores(
      sorted,
      indexAdd(base, at),
      columns.map(({ read }) => read(at)),
    ),
  )
  // two passes a turn, so that the result is where it began
  const width = new Local('width', 'i32')
  const passes = (from: readonly Buffer[], to: readonly Buffer[]): Stmt[] => [
    ...mergePass(lines, base, from, to, local(width)),
    assign(width, add(local(width), local(width))),
  ]
  if (length > 1) {
    build.nest(name, grid, [
      assign(width, i32(1)),
      whilst(lt(local(width), i32(length)), [...passes(sorted, other), ...passes(other, sorted)]),
    ])
  }
  if (inOuts) return
  const first = new LoopVar('j', kept)
  const number = variable(first)
  build.nest(`${name}_result`, [...grid, first], stores(outs, place(number), loads(sorted, indexAdd(base, number))))
}

/** Merge runs of `width` elements, two and two, of one line. */
function mergePass(
  { length, after }: Lines,
  base: Expr,
  from: readonly Buffer[],
  to: readonly Buffer[],
  width: Expr,
): Stmt[] {
  const counter = (name: string): Local => new Local(name, 'i32')
  const [begin, middle, end, left, right, next] = [
    counter('begin'),
    counter('middle'),
    counter('end'),
    counter('left'),
    counter('right'),
    counter('next'),
  ]
  const at = (number: Local): Expr => indexAdd(base, local(number))
  const advance = (number: Local): Stmt => assign(number, add(local(number), i32(1)))
  const takeRight = new Local('takeRight', 'bool')
  const source = counter('source')
  const rest = (number: Local, limit: Local): Stmt =>
    whilst(lt(local(number), local(limit)), [
      ...stores(to, at(next), loads(from, at(number))),
      advance(number),
      advance(next),
    ])
  return [
    assign(begin, i32(0)),
    whilst(lt(local(begin), i32(length)), [
      assign(middle, min(add(local(begin), width), i32(length))),
      assign(end, min(add(local(middle), width), i32(length))),
      assign(left, local(begin)),
      assign(right, local(middle)),
      assign(next, local(begin)),
      whilst(and(lt(local(left), local(middle)), lt(local(right), local(end))), [
        assign(takeRight, after(loads(from, at(left)), loads(from, at(right)))),
        assign(source, select(local(takeRight), local(right), local(left))),
        ...stores(to, at(next), loads(from, at(source))),
        assign(right, add(local(right), convert('i32', local(takeRight)))),
        assign(left, add(local(left), convert('i32', not(local(takeRight))))),
        advance(next),
      ]),
      rest(left, middle),
      rest(right, end),
      assign(begin, local(end)),
    ]),
  ]
}

/** Runs of this length are sorted first, by counting for each element those that come before it. */
const firstRun = 256

/** All elements at once, one nest for each doubling of the runs. */
function sortElements(build: KernelBuilder, lines: Lines): void {
  const { name, grid, length, kept, columns, after, place } = lines
  const outs = columns.map(({ out }) => out)
  const base = indexMul(lineOf(lines), length)
  const element = new LoopVar('j', length)
  const number = variable(element)
  const mine = columns.map(({ dtype }) => new Local('mine', scalarType(dtype)))
  const me = mine.map(local)
  /** A nest in which every element finds its place among those of a longer run, which begins at `begin`. */
  const level = (
    read: (at: Expr) => Expr[],
    to: readonly Buffer[] | undefined,
    search: readonly Stmt[],
    found: Expr,
  ): void => {
    const own = read(number)
    const put =
      to !== undefined
        ? stores(to, add(base, found), me)
        : kept === length
          ? stores(outs, place(found), me)
          : [when(lt(found, i32(kept)), stores(outs, place(found), me))]
    build.nest(name, [...grid, element], [...mine.map((to, i) => assign(to, own[i]!)), ...search, ...put])
  }
  const buffers = length > firstRun ? [linesOf(build, lines), linesOf(build, lines)] : []
  const isLast = (width: number): boolean => width >= length
  const readColumns = (at: Expr): Expr[] => columns.map(({ read }) => read(at))
  const counted = countBefore(element, length, readColumns, me, after)
  let [now, free] = buffers
  level(readColumns, isLast(firstRun) ? undefined : now, counted.search, counted.found)
  for (let width = firstRun; width < length; width *= 2) {
    const from = now!
    const read = (at: Expr): Expr[] => loads(from, indexAdd(base, at))
    const { search, found } = searchSibling(element, length, width, read, me, after)
    level(read, isLast(2 * width) ? undefined : free, search, found)
    ;[now, free] = [free, now]
  }
}

interface Search {
  readonly search: readonly Stmt[]
  /** The number that the element has afterwards. */
  readonly found: Expr
}
/** The place of an element in its run of `firstRun`. */
function countBefore(
  element: LoopVar,
  length: number,
  read: (at: Expr) => Expr[],
  me: readonly Expr[],
  after: After,
): Search {
  const inRun = indexMod(variable(element), firstRun)
  const begin = indexAdd(variable(element), indexMul(inRun, -1))
  const end = min(i32(firstRun), indexAdd(length, indexMul(begin, -1)))
  const count = new Local('count', 'i32')
  const [earlier, later] = [new LoopVar('k', Math.min(firstRun, length)), new LoopVar('k', Math.min(firstRun, length))]
  const more = (comes: Expr): Stmt => assign(count, add(local(count), convert('i32', comes)))
  const follower = indexAdd(begin, inRun, 1, variable(later))
  return {
    search: [
      assign(count, i32(0)),
      forLoop(earlier, [more(not(after(read(indexAdd(begin, variable(earlier))), me)))], inRun),
      forLoop(later, [more(after(me, read(follower)))], sub(sub(end, inRun), i32(1))),
    ],
    found: indexAdd(begin, local(count)),
  }
}
/** The place of an element of one of two sorted runs of `width` in what they are merged to. */
function searchSibling(
  element: LoopVar,
  length: number,
  width: number,
  read: (at: Expr) => Expr[],
  me: readonly Expr[],
  after: After,
): Search {
  const number = variable(element)
  const run = indexMod(indexDiv(number, width), 2)
  const isRight = lt(i32(0), run)
  const inRun = indexMod(number, width)
  const begin = indexMul(indexDiv(number, 2 * width), 2 * width)
  // The sibling of a right run is the left one; the right one may be short, or missing.
  const sibling = indexAdd(begin, width, indexMul(run, -width))
  const [low, high, middle] = [new Local('low', 'i32'), new Local('high', 'i32'), new Local('middle', 'i32')]
  const other = read(indexAdd(sibling, local(middle)))
  const comesBefore = new Local('comesBefore', 'bool')
  return {
    search: [
      assign(low, i32(0)),
      assign(high, min(i32(width), indexAdd(length, indexMul(sibling, -1)))),
      whilst(lt(local(low), local(high)), [
        assign(middle, shr(add(local(low), local(high)), i32(1))),
        // equal elements of the left run come first
        assign(comesBefore, select(isRight, not(after(other, me)), after(me, other))),
        assign(high, select(local(comesBefore), local(high), local(middle))),
        assign(low, select(local(comesBefore), add(local(middle), i32(1)), local(low))),
      ]),
    ],
    found: indexAdd(begin, inRun, local(low)),
  }
}
