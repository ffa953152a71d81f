/** Prints products: by blocks with micro-kernels, by dot products, or as plain nests, by their sizes and by how their operands lie. */
import { type Nest, type Product } from '@fluxion/compiler'
import type { FunctionRef } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'
import { turnsPerCall } from '../driver/cost.ts'
import { printDots } from './dots.ts'
import { type Form, formOf, transposed } from './form.ts'
import { printGemm } from './gemm.ts'
import { lanesOf } from './lanes.ts'
import { productAsNest } from './nest.ts'
import { printSparse } from './sparse/sparse.ts'

export interface ProductContext {
  readonly module: ModuleBuilder
  readonly relaxed: boolean
  /** A function of the addresses of the nest's parameters and of a range of its outermost variable. */
  printNest(nest: Nest): FunctionRef
}
/** A kernel as a function of the addresses of its parameters, of a range of blocks, and of an address for scratch if it needs any. */
export interface PrintedProduct {
  readonly callee: FunctionRef
  readonly blocks: number
  readonly blocksPerCall: number
  readonly scratchBytes: number
}

/** Products with fewer multiplications are not worth a function of their own kind. */
const fewest = 512
/** Of so few rows dot products beat packing. */
const dotRows = 2
/** Products with an operand of 0s and 1s that are smaller are multiplied: to look at the operands takes as long. */
const selecting = { rows: 1, columns: 4, inner: 16 }
/** Where the other operand has to be looked through first, so many rows must share that. */
const fewestLooking = 4

export function printProduct(context: ProductContext, product: Product): PrintedProduct {
  const given = formOf(product)
  const sparse = sparseForm(given)
  if (sparse !== undefined) return printSparse(context, sparse)
  const form = turned(given)
  const [rows, columns, inner] = [form.rows.extent, form.columns.extent, form.inner.extent]
  const size = form.batch.extent * rows * columns * inner
  const plain = ['f32', 'f64', 'i32', 'u32'].includes(form.type)
  if (!plain || inner <= 8 || size < fewest) return asNest(context, product)
  if (rows <= dotRows && form.right.plain?.inner === 1 && form.left.plain?.inner === 1) {
    return printDots(context, form) ?? asNest(context, product)
  }
  if (rows === 1 && form.right.plain?.outer !== 1) return asNest(context, product)
  return printGemm(context, form)
}
/** The product with an operand that is 0 or 1 on its left, if it is large enough for that to help. */
function sparseForm(form: Form): Form | undefined {
  const { zeroOne, finite } = form.product
  if (zeroOne === undefined || !Object.hasOwn(lanesOf, form.type)) return undefined
  const turn = zeroOne === 'right' ? transposed(form) : form
  const looks = finite === undefined && zeroOne !== 'both' && (form.type === 'f32' || form.type === 'f64')
  const rows = looks ? fewestLooking : selecting.rows
  const enough =
    turn.rows.extent >= rows && turn.columns.extent >= selecting.columns && turn.inner.extent >= selecting.inner
  return enough ? turn : undefined
}
/** Few columns become few rows: vectors run along what is many. */
const turned = (form: Form): Form =>
  form.columns.extent < 4 && form.columns.extent < form.rows.extent ? transposed(form) : form

function asNest({ printNest }: ProductContext, product: Product): PrintedProduct {
  const nest = productAsNest(product)
  return {
    callee: printNest({ ...nest, params: product.params }),
    blocks: nest.grid[0]!.extent,
    blocksPerCall: turnsPerCall(nest),
    scratchBytes: 0,
  }
}
