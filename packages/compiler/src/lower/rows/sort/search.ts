/** Sorts lines with all elements at once, stably: each finds its place in a merged run by a binary search (Cormen et al., "Introduction to Algorithms", chapter on multithreaded merging). */
import {
  add,
  assign,
  convert,
  forLoop,
  i32,
  local,
  lt,
  min,
  not,
  scalarType,
  select,
  shr,
  sub,
  variable,
  when,
  whilst,
} from '../../../loops/build.ts'
import { indexAdd, indexDiv, indexMod, indexMul } from '../../../loops/indices.ts'
import { type Buffer, type Expr, Local, LoopVar, type Stmt } from '../../../loops/ir.ts'
import type { KernelBuilder } from '../../lowering.ts'
import { type Lines, lineOf, linesOf, loads, stores } from './lines.ts'
import type { After } from './order.ts'

/** Runs of this length are sorted first, by counting for each element those that come before it. */
const firstRun = 256

/** All elements at once, one nest for each doubling of the runs. */
export function sortElements(build: KernelBuilder, lines: Lines): void {
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
