/**
 * Prints sums of products: tiles of both operands in workgroup memory, of whose products each invocation keeps four rows by four columns in
 * registers. The operands are expressions, computed as tiles are filled, so that convolutions are products too.
 */
import { type Expr, LoopVar, type Product, linearIn, walk } from '@fluxion/compiler'
import { type Layout } from './access.ts'
import { Emitter } from './emitter.ts'
import { type Printed, bindCoordinates, groupNumber, groupsPerRow, product } from './nest.ts'
import { literal, wgslType } from './literals.ts'
import { Shader } from './shader.ts'
import { planWords, printLanes } from './words.ts'

const total = (variables: readonly LoopVar[]): number => product(variables.map(({ extent }) => extent))

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
export function tilesOf({ batch, rows, columns }: Product): Tiles {
  const [b, m, n] = [total(batch), total(rows), total(columns)]
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

export function printProduct(kernel: Product, layout: Layout): Printed {
  const { batch, rows, columns, inner, left, right, sum } = kernel
  const [m, n, k] = [total(rows), total(columns), total(inner)]
  const tiles = tilesOf(kernel)
  const threads = (tiles.rows * tiles.columns) / 16

  const several = columns.filter(({ extent }) => extent > 1)
  const fast = several.length === 1 ? several[0]! : new LoopVar('column', n)
  const plan = planWords(kernel, layout, several.length === 1 ? fast : undefined, total(batch) * m === 1)
  const shader = new Shader(kernel, layout, plan.buffers)
  const type = sum.type === 'bool' ? 'u32' : wgslType(sum.type)
  const functions = new Map()

  /** A function of places in the batch, along one side and inside, that gives an operand's element. */
  const operand = (name: string, x: Expr, side: readonly LoopVar[], size: number): void => {
    const emitter = new Emitter(shader, functions)
    emitter.block(`fn ${name}(b: i32, at: i32, k: i32) -> ${type} {`, () => {
      emitter.line(`if (at >= ${size}i || k >= ${k}i) { return ${literal(type, 0)}; }`)
      bindCoordinates(emitter, batch, 'b')
      bindCoordinates(emitter, side, 'at')
      bindCoordinates(emitter, inner, 'k')
      const [text] = emitter.texts(x)
      emitter.line(`return ${sum.type === 'bool' ? `select(0u, 1u, ${text!})` : text!};`)
    })
    shader.declarations.push(emitter.lines.join('\n'))
  }
  operand('leftAt', left, rows, m)
  operand('rightAt', right, columns, n)

  const finish = new Emitter(shader, functions)
  finish.block(`fn finish(b: i32, row: i32, column: i32, sums: vec4<${type}>) {`, () => {
    finish.declare(kernel.body, sum)
    finish.line('var total = sums;')
    bindCoordinates(finish, batch, 'b')
    bindCoordinates(finish, rows, 'row')
    for (const variable of columns) if (variable.extent === 1) finish.bind(variable, '0i')
    printLanes(finish, kernel, { ...plan, lanes: 4 }, fast, 'column', (lane, turn) => {
      if (several.length !== 1) bindCoordinates(finish, columns, turn)
      finish.line(`${finish.localName(sum)} = total[${lane}]${sum.type === 'bool' ? ' != 0u' : ''};`)
    })
  })
  shader.declarations.push(finish.lines.join('\n'))

  const quads = { left: tiles.rows / 4, right: tiles.columns / 4 }
  for (const side of ['left', 'right'] as const) {
    shader.declarations.push(`var<workgroup> ${side}Tile: array<vec4<${type}>, ${depth * quads[side]}>;`)
  }
  const across = { rows: Math.ceil(m / tiles.rows), columns: Math.ceil(n / tiles.columns) }
  const emitter = new Emitter(shader)
  emitter.line(`let tile = i32(${groupNumber(tiles.groups)});`)
  if (tiles.groups > groupsPerRow) emitter.line(`if (tile >= ${tiles.groups}i) { return; }`)
  emitter.line(`let firstColumn = (tile % ${across.columns}i) * ${tiles.columns}i;`)
  emitter.line(`let firstRow = ((tile / ${across.columns}i) % ${across.rows}i) * ${tiles.rows}i;`)
  emitter.line(`let b = tile / ${across.columns * across.rows}i;`)
  emitter.line(`let column = i32(lane) % ${quads.right}i;`)
  emitter.line(`let row = i32(lane) / ${quads.right}i;`)
  for (let r = 0; r < 4; r++) emitter.line(`var sum${r} = vec4<${type}>();`)
  emitter.block(`for (var first = 0i; first < ${k}i; first += ${depth}i) {`, () => {
    const fill = (side: 'left' | 'right', start: string, innerFast: boolean): void => {
      const [size, each] = [quads[side], depth * quads[side]]
      emitter.block(`for (var slot = i32(lane); slot < ${each}i; slot += ${threads}i) {`, () => {
        emitter.line(innerFast ? `let k = slot % ${depth}i;` : `let k = slot / ${size}i;`)
        emitter.line(innerFast ? `let quad = slot / ${depth}i;` : `let quad = slot % ${size}i;`)
        emitter.line(`let at = ${start} + quad * 4i;`)
        const elements = [0, 1, 2, 3].map((i) => `${side}At(b, at${i === 0 ? '' : ` + ${i}i`}, first + k)`)
        emitter.line(`${side}Tile[k * ${size}i + quad] = vec4<${type}>(${elements.join(', ')});`)
      })
    }
    const deepest = inner.findLast(({ extent }) => extent > 1)
    fill('left', 'firstRow', isAlong(left, deepest))
    fill('right', 'firstColumn', isAlong(right, deepest) && !isAlong(right, fast))
    emitter.line('workgroupBarrier();')
    emitter.block(`for (var k = 0i; k < ${depth}i; k++) {`, () => {
      emitter.line(`let x = leftTile[k * ${quads.left}i + row];`)
      emitter.line(`let y = rightTile[k * ${quads.right}i + column];`)
      for (let r = 0; r < 4; r++) {
        const factor = `vec4<${type}>(x.${'xyzw'[r]!})`
        const into = `sum${r}`
        if (sum.type === 'bool') emitter.line(`${into} |= ${factor} & y;`)
        else if (sum.type === 'f32') emitter.line(`${into} = fma(${factor}, y, ${into});`)
        else emitter.line(`${into} += ${factor} * y;`)
      }
    })
    emitter.line('workgroupBarrier();')
  })
  emitter.line('let at = firstRow + row * 4i;')
  emitter.line('let start = firstColumn + column * 4i;')
  emitter.line(`if (start >= ${n}i) { return; }`)
  for (let r = 0; r < 4; r++) emitter.line(`if (at + ${r}i < ${m}i) { finish(b, at + ${r}i, start, sum${r}); }`)
  return { source: shader.source(threads, emitter.lines), groups: tiles.groups }
}
