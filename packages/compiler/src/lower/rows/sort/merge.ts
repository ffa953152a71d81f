/** Sorts lines in one go each, stably, by merging ever longer runs; a long line in several parts at once. */
import {
  add,
  and,
  assign,
  convert,
  forLoop,
  i32,
  local,
  lt,
  max,
  min,
  not,
  or,
  select,
  shr,
  sub,
  variable,
  whilst,
} from '../../../loops/build.ts'
import { indexAdd, indexDiv, indexMul } from '../../../loops/indices.ts'
import { type Buffer, type Expr, Local, LoopVar, type Stmt } from '../../../loops/ir.ts'
import { pointsOf } from '../../../loops/visit.ts'
import type { KernelBuilder } from '../../lowering.ts'
import { type Lines, lineOf, linesOf, loads, stores } from './lines.ts'
import type { After } from './order.ts'

/** Long lines, if there are few, are sorted in so many parts, which are merged by as many. */
const parts = 16
const fewestPerPart = 256

/** Line by line. */
export function mergeLines(build: KernelBuilder, lines: Lines): void {
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
  const inParts = pointsOf(grid) < parts && length >= parts * fewestPerPart
  const size = inParts ? Math.ceil(length / parts) : length
  if (length > 1) sortParts(build, lines, base, size, sorted, other)
  // As many rounds as parts double: an even number, so that the result is where it began.
  let [from, to] = [sorted, other]
  for (let width = size; width < length; width *= 2) {
    mergeParts(build, lines, base, size, width, from, to)
    ;[from, to] = [to, from]
  }
  if (inOuts) return
  const first = new LoopVar('j', kept)
  const number = variable(first)
  build.nest(`${name}_result`, [...grid, first], stores(outs, place(number), loads(sorted, indexAdd(base, number))))
}
/** Sort each part of `size` elements of the lines, with other memory to merge into. */
function sortParts(
  build: KernelBuilder,
  lines: Lines,
  base: Expr,
  size: number,
  sorted: readonly Buffer[],
  other: readonly Buffer[],
): void {
  const { name, grid, length } = lines
  const part = new LoopVar('part', Math.ceil(length / size))
  const begin = indexMul(variable(part), size)
  const [width, count] = [new Local('width', 'i32'), new Local('count', 'i32')]
  // two passes a turn, so that the result is where it began
  const passes = (from: readonly Buffer[], to: readonly Buffer[]): Stmt[] => [
    ...mergePass(lines.after, indexAdd(base, begin), local(count), from, to, local(width)),
    assign(width, add(local(width), local(width))),
  ]
  build.nest(
    name,
    [...grid, part],
    [
      assign(width, i32(1)),
      assign(count, min(i32(size), indexAdd(length, indexMul(begin, -1)))),
      whilst(lt(local(width), local(count)), [...passes(sorted, other), ...passes(other, sorted)]),
    ],
  )
}
/**
 * Merge runs of `width` elements, two and two: each part finds by binary search how many elements of both runs come before those that it writes (Odeh et
 * al., "Merge path", 2012).
 */
function mergeParts(
  build: KernelBuilder,
  { name, grid, length, after }: Lines,
  base: Expr,
  size: number,
  width: number,
  from: readonly Buffer[],
  to: readonly Buffer[],
): void {
  const part = new LoopVar('part', Math.ceil(length / size))
  const first = indexMul(variable(part), size)
  const [next, number] = [new LoopVar('next', size), new Local('number', 'i32')]
  const [middle, end, low, high, left, right] = ['middle', 'end', 'low', 'high', 'left', 'right'].map(
    (word) => new Local(word, 'i32'),
  ) as [Local, Local, Local, Local, Local, Local]
  const begin = indexMul(indexDiv(first, 2 * width), 2 * width)
  const before = indexAdd(first, indexMul(begin, -1))
  const [half, takeRight] = [new Local('half', 'i32'), new Local('takeRight', 'bool')]
  const last = i32(length - 1)
  const loadsAt = (at: Expr): Expr[] => loads(from, indexAdd(base, at))
  build.nest(
    `${name}_merge`,
    [...grid, part],
    [
      assign(middle, min(indexAdd(begin, width), i32(length))),
      assign(end, min(indexAdd(begin, 2 * width), i32(length))),
      // How many of the left run are among the first ones: equal elements of it come first.
      assign(low, max(i32(0), sub(before, sub(local(end), local(middle))))),
      assign(high, min(before, sub(local(middle), begin))),
      whilst(lt(local(low), local(high)), [
        assign(half, shr(add(local(low), local(high)), i32(1))),
        assign(
          takeRight,
          after(loadsAt(add(begin, local(half))), loadsAt(sub(sub(add(local(middle), before), local(half)), i32(1)))),
        ),
        assign(high, select(local(takeRight), local(half), local(high))),
        assign(low, select(local(takeRight), local(low), add(local(half), i32(1)))),
      ]),
      assign(left, add(begin, local(low))),
      assign(right, sub(add(local(middle), before), local(low))),
      assign(number, min(i32(size), indexAdd(length, indexMul(first, -1)))),
      forLoop(
        next,
        [
          assign(
            takeRight,
            and(
              lt(local(right), local(end)),
              or(not(lt(local(left), local(middle))), after(loadsAt(local(left)), loadsAt(min(local(right), last)))),
            ),
          ),
          ...stores(
            to,
            indexAdd(base, first, variable(next)),
            loadsAt(select(local(takeRight), local(right), local(left))),
          ),
          assign(right, add(local(right), convert('i32', local(takeRight)))),
          assign(left, add(local(left), convert('i32', not(local(takeRight))))),
        ],
        local(number),
      ),
    ],
  )
}

/** Merge runs of `width` elements, two and two, of `length` elements from `base` on. */
function mergePass(
  after: After,
  base: Expr,
  length: Expr,
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
    whilst(lt(local(begin), length), [
      assign(middle, min(add(local(begin), width), length)),
      assign(end, min(add(local(middle), width), length)),
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
