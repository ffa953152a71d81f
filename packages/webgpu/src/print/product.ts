/**
 * Prints sums of products: their operands and what is done with a sum as functions, since an operand is an expression, of which convolutions are
 * made too; and the loops around them, of which there are two forms.
 */
import { type Expr, LoopVar, type Product, pointsOf } from '@fluxion/compiler'
import { type Layout, usesOf } from './access.ts'
import { printDirect } from './direct.ts'
import { Emitter } from './emitter.ts'
import { literal, wgslType } from './literals.ts'
import { type Printed, bindCoordinates } from './nest.ts'
import { Shader } from './shader.ts'
import { printTiled } from './tiled.ts'
import type { Traits } from './traits.ts'
import { beginsWords, planWords, printLanes } from './words.ts'

/** How an operand is loaded. */
export interface Operand {
  /** Of what its tiles are: float16 where it is that and the device has it. */
  readonly element: 'f32' | 'i32' | 'u32' | 'f16'
  /** Along what four neighbours in memory lie, if they are loaded at once: by `leftFour` or `rightFour`, from a multiple of four on. */
  readonly fours: 'side' | 'inner' | undefined
}
/**
 * The functions of a product's module: `leftAt(b, at, k)` and `rightAt(b, at, k)` give an element of an operand at places in the batch, along
 * its rows or columns and inside; `finish(b, row, column, sums)` does what is to be done with four sums side by side.
 */
export interface ProductShader {
  readonly shader: Shader
  readonly kernel: Product
  /** The type of sums; of truth values they are 0 or 1. */
  readonly type: 'f32' | 'i32' | 'u32'
  readonly operands: { readonly left: Operand; readonly right: Operand }
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

  const print = (name: string, result: string, side: readonly LoopVar[], value: (emitter: Emitter) => string): void => {
    const emitter = new Emitter(shader, functions)
    emitter.block(`fn ${name}(b: i32, at: i32, k: i32) -> ${result} {`, () => {
      bindCoordinates(emitter, batch, 'b')
      bindCoordinates(emitter, side, 'at')
      bindCoordinates(emitter, inner, 'k')
      emitter.line(`return ${value(emitter)};`)
    })
    shader.declarations.push(emitter.lines.join('\n'))
  }
  const foursOf = (x: Expr, side: readonly LoopVar[]): Operand['fours'] => {
    if (!traits.shared || x.op !== 'load' || truth) return undefined
    const along = (variables: readonly LoopVar[]): boolean => {
      const last = variables.findLast(({ extent }) => extent > 1)
      return last !== undefined && last.extent % 4 === 0 && beginsWords(x.index, last, 4)
    }
    const fours = along(side) ? 'side' : along(inner) ? 'inner' : undefined
    const { stored, updated } = usesOf(kernel)
    const { buffer } = x
    if (fours === undefined || stored.has(buffer) || updated.has(buffer)) return undefined
    if (!shader.canHaveVectors(buffer)) return undefined
    shader.useVectors(buffer)
    return fours
  }
  // Bindings are of vectors before anything is loaded from them.
  const fours = { left: foursOf(kernel.left, rows), right: foursOf(kernel.right, columns) }
  const operand = (name: 'left' | 'right', side: readonly LoopVar[]): Operand => {
    const x = kernel[name]
    const half = traits.shared && traits.half && type === 'f32' && x.op === 'load' && x.buffer.dtype === 'float16'
    const element = half ? 'f16' : type
    print(`${name}At`, element, side, (emitter) => {
      if (half) {
        const at = emitter.name('place', shader.elementAt(x.buffer, emitter.texts(x.index)[0]!))
        return shader.loadHalf(x.buffer, at)
      }
      const [text] = emitter.texts(x)
      return truth ? `select(${literal(type, 0)}, ${literal(type, 1)}, ${text!})` : text!
    })
    if (fours[name] !== undefined && x.op === 'load') {
      print(`${name}Four`, `vec4<${type}>`, side, (emitter) => shader.vectorAt(x.buffer, emitter.texts(x.index)[0]!))
    }
    return { element, fours: fours[name] }
  }
  const operands = { left: operand('left', rows), right: operand('right', columns) }

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
  const printed: ProductShader = { shader, kernel, type, operands, sizes, add }
  return traits.shared ? printTiled(printed) : printDirect(printed)
}
