/**
 * Prints sums of products: their operands and what is done with a sum as functions, since an operand is an expression, of which convolutions are
 * made too; and the loops around them, of which there are two forms.
 */
import { type Expr, LoopVar, type Product, pointsOf } from '@fluxion/compiler'
import type { Layout } from './access.ts'
import { printDirect } from './direct.ts'
import { Emitter } from './emitter.ts'
import { literal, wgslType } from './literals.ts'
import { type Printed, bindCoordinates } from './nest.ts'
import { Shader } from './shader.ts'
import { printTiled } from './tiled.ts'
import type { Traits } from './traits.ts'
import { planWords, printLanes } from './words.ts'

/**
 * The functions of a product's module: `leftAt(b, at, k)` and `rightAt(b, at, k)` give an element of an operand at places in the batch, along
 * its rows or columns and inside; `finish(b, row, column, sums)` does what is to be done with four sums side by side.
 */
export interface ProductShader {
  readonly shader: Shader
  readonly kernel: Product
  /** The type of sums; of truth values they are 0 or 1. */
  readonly type: 'f32' | 'i32' | 'u32'
  readonly sizes: { readonly batch: number; readonly rows: number; readonly columns: number; readonly inner: number }
  /** A statement that adds the products of two operands to sums. */
  add(into: string, x: string, y: string): string
}

export function printProduct(kernel: Product, layout: Layout, traits: Traits): Printed {
  const { batch, rows, columns, inner, sum } = kernel
  const sizes = { batch: pointsOf(batch), rows: pointsOf(rows), columns: pointsOf(columns), inner: pointsOf(inner) }
  const several = columns.filter(({ extent }) => extent > 1)
  const fast = several.length === 1 ? several[0]! : new LoopVar('column', sizes.columns)
  const alone = sizes.batch * sizes.rows === 1
  const plan = planWords(kernel, layout, several.length === 1 ? fast : undefined, alone)
  const shader = new Shader(kernel, layout, plan.buffers)
  const truth = sum.type === 'bool'
  const type = sum.type === 'bool' ? 'u32' : (wgslType(sum.type) as 'f32' | 'i32' | 'u32')
  const functions = new Map()

  const operand = (name: string, x: Expr, side: readonly LoopVar[]): void => {
    const emitter = new Emitter(shader, functions)
    emitter.block(`fn ${name}(b: i32, at: i32, k: i32) -> ${type} {`, () => {
      bindCoordinates(emitter, batch, 'b')
      bindCoordinates(emitter, side, 'at')
      bindCoordinates(emitter, inner, 'k')
      const [text] = emitter.texts(x)
      emitter.line(`return ${truth ? `select(${literal(type, 0)}, ${literal(type, 1)}, ${text!})` : text!};`)
    })
    shader.declarations.push(emitter.lines.join('\n'))
  }
  operand('leftAt', kernel.left, rows)
  operand('rightAt', kernel.right, columns)

  const finish = new Emitter(shader, functions)
  finish.block(`fn finish(b: i32, row: i32, column: i32, sums: vec4<${type}>) {`, () => {
    finish.declare(kernel.body, sum)
    finish.line('var total = sums;')
    bindCoordinates(finish, batch, 'b')
    bindCoordinates(finish, rows, 'row')
    for (const variable of columns) if (variable.extent === 1) finish.bind(variable, '0i')
    printLanes(finish, kernel, { ...plan, lanes: 4 }, fast, 'column', (lane, turn) => {
      if (several.length !== 1) bindCoordinates(finish, columns, turn)
      finish.line(`${finish.localName(sum)} = total[${lane}]${truth ? ' != 0u' : ''};`)
    })
  })
  shader.declarations.push(finish.lines.join('\n'))

  const add: ProductShader['add'] = (into, x, y) => (truth ? `${into} |= ${x} & ${y};` : `${into} += ${x} * ${y};`)
  const printed: ProductShader = { shader, kernel, type, sizes, add }
  return traits.shared ? printTiled(printed) : printDirect(printed)
}
