/**
 * Products by tiles: a workgroup brings tiles of both operands into its memory, and each invocation keeps the sums of four rows by four columns in
 * registers.
 */
import { type Expr, type LoopVar, type Product, linearIn, pointsOf, walk } from '@fluxion/compiler'
import { Emitter } from './emitter.ts'
import { type Printed, groupNumber, groupsPerRow } from './nest.ts'
import type { ProductShader } from './product.ts'

export interface Tiles {
  readonly rows: number
  readonly columns: number
  /** Of the whole product. */
  readonly groups: number
}
/** How many inner turns a tile has. */
const depth = 16
/** As many workgroups keep a device busy: with fewer, tiles are smaller. */
const busy = 128

/** The size of tiles: no larger than rows and columns need, and small where there would be few of them. */
export function tilesOf({ batch, rows, columns }: Pick<Product, 'batch' | 'rows' | 'columns'>): Tiles {
  const [b, m, n] = [pointsOf(batch), pointsOf(rows), pointsOf(columns)]
  const sized = (count: number): number => (count > 32 ? 64 : count > 16 ? 32 : 16)
  const groupsOf = (tm: number, tn: number): number => b * Math.ceil(m / tm) * Math.ceil(n / tn)
  let [tm, tn] = [sized(m), sized(n)]
  while (groupsOf(tm, tn) < busy && (tm > 32 || tn > 32)) {
    if (tm >= tn) tm /= 2
    else tn /= 2
  }
  return { rows: tm, columns: tn, groups: groupsOf(tm, tn) }
}

/** Whether neighbouring turns of a loop load neighbouring elements. */
function isAlong(x: Expr, variable: LoopVar | undefined): boolean {
  let along = false
  if (variable === undefined) return false
  walk(x, (part) => {
    if (part.op === 'load' && Math.abs(linearIn(part.index, variable)?.coefficient ?? 0) === 1) along = true
  })
  return along
}

export function printTiled({ shader, kernel, type, operands, sizes, add }: ProductShader): Printed {
  const tiles = tilesOf(kernel)
  const threads = (tiles.rows * tiles.columns) / 16
  const quads = { left: tiles.rows / 4, right: tiles.columns / 4 }
  for (const side of ['left', 'right'] as const) {
    shader.declarations.push(
      `var<workgroup> ${side}Tile: array<vec4<${operands[side].element}>, ${depth * quads[side]}>;`,
    )
  }
  const across = { rows: Math.ceil(sizes.rows / tiles.rows), columns: Math.ceil(sizes.columns / tiles.columns) }
  const emitter = new Emitter(shader)
  emitter.line(`let tile = i32(${groupNumber(tiles.groups)});`)
  if (tiles.groups > groupsPerRow) emitter.line(`if (tile >= ${tiles.groups}i) { return; }`)
  emitter.line(`let firstColumn = (tile % ${across.columns}i) * ${tiles.columns}i;`)
  emitter.line(`let firstRow = ((tile / ${across.columns}i) % ${across.rows}i) * ${tiles.rows}i;`)
  emitter.line(`let b = tile / ${across.columns * across.rows}i;`)
  emitter.line(`let column = i32(lane) % ${quads.right}i;`)
  emitter.line(`let row = i32(lane) / ${quads.right}i;`)
  for (let r = 0; r < 4; r++) emitter.line(`var sum${r} = vec4<${type}>();`)

  /** The place of a row or column, or the last one there is: what comes from beyond it nobody uses. */
  const placeIn = (side: 'left' | 'right', size: number, i: number, last = size - 1): string => {
    const at = i === 0 ? 'at' : `at + ${i}i`
    return size % (4 * quads[side]) === 0 ? at : `min(${at}, ${last}i)`
  }
  /** Blocks of four by four, by vectors along the inner loop, which are turned around. */
  const fillBlocks = (side: 'left' | 'right', start: string, size: number): void => {
    const across = depth / 4
    emitter.block(`for (var slot = i32(lane); slot < ${across * quads[side]}i; slot += ${threads}i) {`, () => {
      emitter.line(`let k = (slot % ${across}i) * 4i;`)
      emitter.line(`let quad = slot / ${across}i;`)
      emitter.line(`let at = ${start} + quad * 4i;`)
      const turns = [0, 1, 2, 3]
      for (const i of turns) emitter.line(`var four${i} = vec4<${type}>();`)
      const loads = turns.map((i) => `four${i} = ${side}Four(b, ${placeIn(side, size, i)}, first + k);`).join(' ')
      emitter.line(sizes.inner % depth === 0 ? loads : `if (first + k < ${sizes.inner}i) { ${loads} }`)
      for (const i of turns) {
        const column = turns.map((j) => `four${j}.${'xyzw'[i]!}`).join(', ')
        emitter.line(`${side}Tile[(k + ${i}i) * ${quads[side]}i + quad] = vec4<${type}>(${column});`)
      }
    })
  }
  const fill = (side: 'left' | 'right', start: string, size: number, innerFast: boolean): void => {
    const { element, fours } = operands[side]
    if (fours === 'inner') return fillBlocks(side, start, size)
    const each = depth * quads[side]
    emitter.block(`for (var slot = i32(lane); slot < ${each}i; slot += ${threads}i) {`, () => {
      emitter.line(innerFast ? `let k = slot % ${depth}i;` : `let k = slot / ${quads[side]}i;`)
      emitter.line(innerFast ? `let quad = slot / ${depth}i;` : `let quad = slot % ${quads[side]}i;`)
      emitter.line(`let at = ${start} + quad * 4i;`)
      // Beyond the end inside there are zeros.
      const elements = [0, 1, 2, 3].map((i) => `${side}At(b, ${placeIn(side, size, i)}, first + k)`)
      emitter.line(`var four = vec4<${element}>();`)
      const whole =
        fours === 'side'
          ? `four = ${side}Four(b, ${placeIn(side, size, 0, size - 4)}, first + k);`
          : `four = vec4<${element}>(${elements.join(', ')});`
      emitter.line(sizes.inner % depth === 0 ? whole : `if (first + k < ${sizes.inner}i) { ${whole} }`)
      emitter.line(`${side}Tile[k * ${quads[side]}i + quad] = four;`)
    })
  }
  const deepest = kernel.inner.findLast(({ extent }) => extent > 1)
  const fastest = kernel.columns.findLast(({ extent }) => extent > 1)
  emitter.block(`for (var first = 0i; first < ${sizes.inner}i; first += ${depth}i) {`, () => {
    fill('left', 'firstRow', sizes.rows, isAlong(kernel.left, deepest))
    fill('right', 'firstColumn', sizes.columns, isAlong(kernel.right, deepest) && !isAlong(kernel.right, fastest))
    emitter.line('workgroupBarrier();')
    emitter.block(`for (var k = 0i; k < ${depth}i; k++) {`, () => {
      // Sums are of the wider type.
      emitter.line(`let x = vec4<${type}>(leftTile[k * ${quads.left}i + row]);`)
      emitter.line(`let y = vec4<${type}>(rightTile[k * ${quads.right}i + column]);`)
      for (let r = 0; r < 4; r++) emitter.line(add(`sum${r}`, `vec4<${type}>(x.${'xyzw'[r]!})`, 'y'))
    })
    emitter.line('workgroupBarrier();')
  })
  emitter.line('let at = firstRow + row * 4i;')
  emitter.line('let start = firstColumn + column * 4i;')
  emitter.line(`if (start >= ${sizes.columns}i) { return; }`)
  for (let r = 0; r < 4; r++)
    emitter.line(`if (at + ${r}i < ${sizes.rows}i) { finish(b, at + ${r}i, start, sum${r}); }`)
  return { source: shader.source(threads, emitter.lines), groups: tiles.groups }
}
