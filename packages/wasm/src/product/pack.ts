/** Copies of operands into the layout that micro-kernels read: fast ones of plain loads, and loop nests that compute any expression on the way. */
import {
  Buffer,
  type Expr,
  LoopVar,
  type Nest,
  buffersOf,
  flatIndex,
  indexAdd,
  indexDiv,
  indexMod,
  indexMul,
  mapStatement,
  load,
  store,
  substituting,
  variable,
} from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import type { FunctionRef, Register } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'
import { type Form, spread } from './form.ts'
import { type Lanes, advance, loopWhole, parameters, registers } from './lanes.ts'

const nestOf = (name: string, grid: readonly LoopVar[], body: Nest['body']): Nest => {
  const nest = { kind: 'nest', name, grid, body } as const
  return { ...nest, params: buffersOf(nest) }
}
/** Where a nest packs to: the element of its first row would lie at the address that it is given. */
const packed = (dtype: DType): Buffer => new Buffer('packed', dtype, 0)
export interface Packing {
  readonly nest: Nest
  readonly target: Buffer
}

/**
 * Right operand to panels of `width` columns, one behind the other, each with its `block` inner rows together. The outermost variable is
 * batch · inner: row t of a panel goes to t · width.
 */
export function rightPacking(form: Form, dtype: DType, width: number, block: number): Packing[] {
  const { batch, inner, columns, right } = form
  const whole = Math.floor(columns.extent / width)
  const rest = columns.extent % width
  const make = (panels: number, lanes: number, first: number): Packing => {
    const t = new LoopVar('t', batch.extent * inner.extent)
    const [panel, lane] = [new LoopVar('panel', panels), new LoopVar('lane', lanes)]
    const target = packed(dtype)
    const value = substituting(
      new Map<LoopVar, Expr>([
        [batch, indexDiv(variable(t), inner.extent)],
        [inner, indexMod(variable(t), inner.extent)],
        [columns, indexAdd(indexMul(variable(panel), width), variable(lane), first * width)],
      ]),
    )(right.value)
    const index = indexAdd(
      indexMul(variable(t), width),
      indexMul(variable(panel), block * width),
      variable(lane),
      first * block * width,
    )
    return { nest: nestOf('packRight', [t, panel, lane], [store(target, index, value)]), target }
  }
  return [...(whole > 0 ? [make(whole, width, 0)] : []), ...(rest > 0 ? [make(1, rest, whole)] : [])]
}

/**
 * Left operand to rows of `block` inner elements. The outermost variable of the nest for whole blocks is (batch · blocks + block) · rows + row, that of the nest
 * for a rest batch · rows + row: row t goes to t · block. Blocks that are whole loops of the inner variables are packed by such loops.
 */
export function leftPacking(form: Form, dtype: DType, block: number): { whole?: Packing; rest?: Packing } {
  const { batch, inner, rows, groups, left } = form
  const blocks = Math.floor(inner.extent / block)
  const split = splitInner(groups.inner, block)
  const make = (count: number, number: number, first: number): Packing => {
    const t = new LoopVar('t', batch.extent * number * rows.extent)
    const outer = indexDiv(variable(t), rows.extent)
    const at = indexMod(outer, number)
    const target = packed(dtype)
    let loops: readonly LoopVar[] = [new LoopVar('k', count)]
    let inside: ReadonlyMap<LoopVar, Expr>
    if (split === undefined || first > 0) {
      inside = spread(groups.inner, indexAdd(indexMul(at, block), variable(loops[0]!), first * block))
    } else {
      loops = split.loops
      inside = split.values(at)
    }
    const value = substituting(
      new Map([
        ...spread(groups.batch, indexDiv(outer, number)),
        ...spread(groups.rows, indexMod(variable(t), rows.extent)),
        ...inside,
      ]),
    )(left.grouped)
    const place = flatIndex(
      loops.map(variable),
      loops.map(({ extent }) => extent),
    )
    const index = indexAdd(indexMul(variable(t), block), place)
    return { nest: nestOf('packLeft', [t, ...loops], [store(target, index, value)]), target }
  }
  const rest = inner.extent % block
  return {
    ...(blocks > 0 ? { whole: make(block, blocks, 0) } : {}),
    ...(rest > 0 ? { rest: make(rest, 1, blocks) } : {}),
  }
}
/**
 * Left operand as inner rows of all rows: the outermost variable is batch · inner, row t of which goes to t · stride. For operands that lie along
 * rows; `transposition` does the rest.
 */
export function leftColumns(form: Form, dtype: DType, stride: number): Packing {
  const { batch, inner, groups, left } = form
  const t = new LoopVar('t', batch.extent * inner.extent)
  const target = packed(dtype)
  const value = substituting(
    new Map([
      ...spread(groups.batch, indexDiv(variable(t), inner.extent)),
      ...spread(groups.inner, indexMod(variable(t), inner.extent)),
    ]),
  )(left.grouped)
  const place = flatIndex(
    groups.rows.map(variable),
    groups.rows.map(({ extent }) => extent),
  )
  const index = indexAdd(indexMul(variable(t), stride), place)
  return { nest: nestOf('packColumns', [t, ...groups.rows], [store(target, index, value)]), target }
}

/** How a block is made of the last inner variables and of a part of the one before. */
function splitInner(
  vars: readonly LoopVar[],
  block: number,
): { readonly loops: readonly LoopVar[]; values(block: Expr): Map<LoopVar, Expr> } | undefined {
  let size = 1
  let first = vars.length
  while (first > 0 && size * vars[first - 1]!.extent <= block) size *= vars[--first]!.extent
  const whole = vars.slice(first)
  if (size === block) {
    return {
      loops: whole,
      values: (at) => spread(vars.slice(0, first), at),
    }
  }
  const cut = vars[first - 1]
  if (cut === undefined || block % size !== 0 || cut.extent % (block / size) !== 0) return undefined
  const part = new LoopVar(cut.name, block / size)
  const parts = new LoopVar(cut.name, cut.extent / part.extent)
  const leading = [...vars.slice(0, first - 1), parts]
  return {
    loops: [part, ...whole],
    values(at) {
      const outer = spread(leading, at)
      const value = indexAdd(indexMul(outer.get(parts)!, part.extent), variable(part))
      outer.delete(parts)
      return outer.set(cut, value)
    },
  }
}
/** The largest block up to `most` that is made of whole inner loops and a divisor of another, if it is not below `least`. */
export function loopBlock(vars: readonly LoopVar[], least: number, most: number): number | undefined {
  let size = 1
  let first = vars.length
  while (first > 0 && size * vars[first - 1]!.extent <= most) size *= vars[--first]!.extent
  const { extent = 1 } = vars[first - 1] ?? {}
  let part = Math.min(extent, Math.floor(most / size))
  while (extent % part !== 0) part--
  return size * part >= least ? size * part : undefined
}

/** What is done with sums, as a nest over batch · rows and columns that reads them from rows of `stride` elements. */
export function epilogue(form: Form, dtype: DType, stride: number): { nest: Nest; sums: Buffer } {
  const { batch, rows, columns, body, sum } = form
  const sums = new Buffer('sums', dtype, 0)
  const t = new LoopVar('t', batch.extent * rows.extent)
  const substitute = substituting(
    new Map<LoopVar | typeof sum, Expr>([
      [batch, indexDiv(variable(t), rows.extent)],
      [rows, indexMod(variable(t), rows.extent)],
      [sum, load(sums, indexAdd(indexMul(variable(t), stride), variable(columns)))],
    ]),
  )
  return {
    nest: nestOf(
      'finish',
      [t, columns],
      body.map((statement) => mapStatement(statement, substitute)),
    ),
    sums,
  }
}

/**
 * A function (source, target, count) that copies `count` rows of a right operand with unit strides of columns into panels. The last panel
 * may read past the row's end, never as far as memory ends.
 */
export function panelCopy(
  module: ModuleBuilder,
  lanes: Lanes,
  { columns, width, row, panel }: { columns: number; width: number; row: number; panel: number },
): FunctionRef {
  const f = module.function('packRows', ['i32', 'i32', 'i32'])
  const { source, target, count } = parameters(f, 0, 'source', 'target', 'count')
  const { column, end, at, from, to } = registers(f, 'column', 'end', 'at', 'from', 'to')
  const bytes = width * lanes.bytes
  f.i32(0)
    .set(column)
    .i32(Math.ceil(columns / width))
    .set(end)
  loopWhole(f, column, end, 1, () => {
    f.get(source).set(from).get(target).set(to).i32(0).set(at)
    const step = (turn: number): void => {
      for (let offset = 0; offset < bytes; offset += 16) {
        f.get(to)
          .get(from)
          .memory('v128.load', turn * row + offset)
          .memory('v128.store', turn * bytes + offset)
      }
    }
    for (const turns of [4, 1]) {
      loopWhole(f, at, count, turns, () => {
        for (let turn = 0; turn < turns; turn++) step(turn)
        advance(f, from, turns * row)
        advance(f, to, turns * bytes)
      })
    }
    advance(f, source, bytes)
    advance(f, target, panel)
  })
  return f
}

/** Lanes of two vectors of four: 0 to 3 of the first, 4 to 7 of the second. */
const words = (...lanes: number[]): number[] => lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte))
/**
 * A function (source, target, lines, length) that transposes numbers of 32 bits: element p of line l goes to line p, element l. Positions are done by fours: up to three more
 * are read and written than there are. Strides of lines are in bytes.
 */
export function transposition(module: ModuleBuilder, sourceLine: number, targetLine: number): FunctionRef {
  const f = module.function('transpose', ['i32', 'i32', 'i32', 'i32'])
  const { source, target, lines, length } = parameters(f, 0, 'source', 'target', 'lines', 'length')
  const { line, at, from, to } = registers(f, 'line', 'at', 'from', 'to')
  const rows = [0, 1, 2, 3].map(() => f.register('v128'))
  const pairs = [0, 1, 2, 3].map(() => f.register('v128'))
  const shuffled = (a: Register, b: Register, lanes: number[]): void =>
    void f
      .get(a)
      .get(b)
      .shuffle(words(...lanes))
  f.i32(0).set(line)
  for (const count of [4, 1]) {
    loopWhole(f, line, lines, count, () => {
      f.get(source).set(from).get(target).set(to).i32(0).set(at)
      f.block((done) => {
        f.loop((again) => {
          f.get(at).get(length).op('i32.ge_s').brIf(done)
          if (count === 4) {
            rows.forEach((row, i) =>
              f
                .get(from)
                .memory('v128.load', i * sourceLine)
                .set(row),
            )
            for (const [i, a, b, lanes] of [
              [0, 0, 1, [0, 4, 1, 5]],
              [1, 0, 1, [2, 6, 3, 7]],
              [2, 2, 3, [0, 4, 1, 5]],
              [3, 2, 3, [2, 6, 3, 7]],
            ] as const) {
              shuffled(rows[a]!, rows[b]!, [...lanes])
              f.set(pairs[i]!)
            }
            for (const [i, a, b, lanes] of [
              [0, 0, 2, [0, 1, 4, 5]],
              [1, 0, 2, [2, 3, 6, 7]],
              [2, 1, 3, [0, 1, 4, 5]],
              [3, 1, 3, [2, 3, 6, 7]],
            ] as const) {
              f.get(to)
              shuffled(pairs[a]!, pairs[b]!, [...lanes])
              f.memory('v128.store', i * targetLine)
            }
          } else {
            for (let i = 0; i < 4; i++)
              f.get(to)
                .get(from)
                .memory('i32.load', i * 4)
                .memory('i32.store', i * targetLine)
          }
          advance(f, from, 16)
          advance(f, to, 4 * targetLine)
          f.get(at).i32(4).op('i32.add').set(at).br(again)
        })
      })
      advance(f, source, count * sourceLine)
      advance(f, target, count * 4)
    })
  }
  return f
}
