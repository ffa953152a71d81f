/** Collects a program's steps, and builds its kernels: expressions of values' elements, shared within a kernel. */
import { type Aval, type DType, type NDArray, isFloat, sizeOf } from '@fluxion/core'
import { constant, convert, gridOver, i32, load, local, narrow, scalarType, store, variable } from '../loops/build.ts'
import { collapseGrid } from '../loops/collapse.ts'
import { flatIndex, unflatten } from '../loops/indices.ts'
import { Buffer, type Expr, Local, LoopVar, type Nest, type Product, type Stmt } from '../loops/ir.ts'
import { mergeReductions } from '../loops/mergeReductions.ts'
import { shareExpressions } from '../loops/share.ts'
import { buffersOf, walkStatements } from '../loops/visit.ts'
import { type Place, type Program, Slot, type Step, placeOf } from '../program/program.ts'
import type { Facts } from '../passes/facts/factsOf.ts'
import type { At, Operand, ProductRow, Target } from './lowering.ts'
import { readingOrders } from './rows/dot.ts'
import { combineOf, reducedElement } from './rows/reduce.ts'
import { Value } from './value.ts'

/** Arrays of so many bytes stay in the second-level cache, with others. */
const inCache = 256 * 1024

/** A kernel that is being built. */
interface Scope {
  /** Elements by value and coordinates. */
  readonly memo: Map<Value, Map<string, Expr>>
  /** What runs before the stores. */
  readonly statements: Stmt[]
  /** The product whose sum is at hand, at these coordinates. */
  readonly product: { readonly value: Value; readonly key: string; readonly sum: Local } | undefined
  /** Whether statements can be added: not inside of a reduction, nor in a product's operands. */
  open: boolean
}

const ids = new WeakMap<Expr, number>()
let nextId = 0
function idOf(x: Expr): string {
  if (x.op === 'const') return `${x.value}`
  let id = ids.get(x)
  if (id === undefined) ids.set(x, (id = nextId++))
  return `#${id}`
}
const keyOf = (index: readonly Expr[]): string => index.map(idOf).join()

export class Builder {
  readonly target: Target
  readonly facts: Facts
  #steps: Step[] = []
  readonly #places = new Map<Buffer, Place>()
  readonly #buffers = new WeakMap<Value, Buffer>()
  #scope: Scope | undefined
  #grouped = false
  readonly #captured = new Map<NDArray, Slot>()

  constructor(target: Target, facts: Facts) {
    this.target = target
    this.facts = facts
  }
  get captured(): Program['captured'] {
    return [...this.#captured].map(([value, slot]) => ({ slot, value }))
  }
  /** A constant with a value of its own, as a further input. */
  capture(x: NDArray): Value {
    let slot = this.#captured.get(x)
    if (slot === undefined) this.#captured.set(x, (slot = new Slot(x.dtype, x.size)))
    return new Value(x.aval, { place: placeOf(slot) })
  }

  emit(step: Step): void {
    this.#steps.push(step)
  }
  /** The steps that `f` emits. */
  collect(f: () => void): Step[] {
    const [outer, scope] = [this.#steps, this.#scope]
    this.#steps = []
    this.#scope = undefined
    try {
      f()
      return this.#steps
    } finally {
      this.#steps = outer
      this.#scope = scope
    }
  }

  /** Whether steps are made for groups of a parallel step, which cannot hold another one. */
  get grouped(): boolean {
    return this.#grouped
  }
  inGroups<T>(f: () => T): T {
    this.#grouped = true
    try {
      return f()
    } finally {
      this.#grouped = false
    }
  }

  temporary({ dtype, shape }: Pick<Aval, 'dtype' | 'shape'>): Place {
    return placeOf(new Slot(dtype, sizeOf(shape)))
  }
  /**
   * The dtype that values of a program are kept in between kernels. A CPU keeps small arrays of half floats as f32, the same numbers:
   * converting costs it more than reading twice the bytes from its cache. Floats that are 0 or 1 everywhere it keeps as bytes.
   */
  storageOf(dtype: DType, length: number, zeroOne = false): DType {
    if (this.target.parallel || !isFloat(dtype)) return dtype
    if (zeroOne) return 'bool'
    const half = dtype === 'float16' || dtype === 'bfloat16'
    return half && length * 4 <= inCache ? 'float32' : dtype
  }
  /** Memory for a value: its elements are only read by kernels that this builder makes. */
  placeFor({ dtype, shape }: Pick<Aval, 'dtype' | 'shape'>, zeroOne = false): Place {
    const length = sizeOf(shape)
    return placeOf(new Slot(this.storageOf(dtype, length, zeroOne), length))
  }
  /** Store a value's element in memory that was made for it. */
  stored(buffer: Buffer, index: Expr, element: Expr): Stmt {
    return store(buffer, index, convert(scalarType(buffer.dtype), element))
  }
  /** A kernel's parameter that stands for a place. */
  bufferAt(place: Place, length: number, name = 'x', holds: DType = place.slot.dtype): Buffer {
    const buffer = new Buffer(name, place.slot.dtype, length, holds)
    this.#places.set(buffer, place)
    return buffer
  }
  bufferOf(value: Value): Buffer {
    if (value.place === undefined) this.#force(value)
    let buffer = this.#buffers.get(value)
    if (buffer === undefined) {
      const holds = value.zeroOne ? 'bool' : value.aval.dtype
      buffer = this.bufferAt(value.place!, sizeOf(value.aval.shape), 'x', holds)
      this.#buffers.set(value, buffer)
    }
    return buffer
  }
  operand(value: Value): Operand {
    const at: At = (index) => this.element(value, index)
    return { aval: value.aval, at, zeroOne: value.zeroOne }
  }
  /** An operand of a product, read from a copy that was made for it if there is one. */
  #factor(value: Value, axes: readonly number[] | undefined): Operand {
    const wide = value.wide.find((copy) => copy.axes.join() === axes?.join())
    if (wide === undefined) return this.operand(value)
    return {
      aval: value.aval,
      at: (index) =>
        this.element(
          wide.value,
          wide.axes.map((axis) => index[axis]!),
        ),
    }
  }

  /** A value's element in the kernel that is being built. */
  element(value: Value, index: readonly Expr[]): Expr {
    if (value.literal !== undefined) return constant(scalarType(value.aval.dtype), value.literal)
    const scope = this.#scope
    if (scope === undefined) return this.#loaded(value, index)
    let known = scope.memo.get(value)
    if (known === undefined) scope.memo.set(value, (known = new Map()))
    const key = keyOf(index)
    let element = known.get(key)
    if (element === undefined) {
      const inMemory = value.place !== undefined
      element = inMemory ? this.#loaded(value, index) : this.#compute(value, index, key, scope)
      known.set(key, element)
    }
    return element
  }
  #loaded(value: Value, index: readonly Expr[]): Expr {
    const { shape, dtype } = value.aval
    return convert(scalarType(dtype), load(this.bufferOf(value), flatIndex(index, shape)))
  }
  #compute(value: Value, index: readonly Expr[], key: string, scope: Scope): Expr {
    const { row, operands, params, outs, result } = value.origin!
    if (row.kind === 'map') {
      return row.at(
        operands.map((operand) => this.operand(operand)),
        params as never,
        outs,
        index,
        result,
        this.target,
      )
    }
    if (row.kind === 'product') {
      const { product } = scope
      if (product?.value === value && product.key === key) return narrow(value.aval.dtype, local(product.sum))
    }
    if (row.kind === 'product' || !scope.open) {
      this.#force(value)
      return this.element(value, index)
    }
    const [operand] = operands as [Value]
    const axes = row.axes(params as never)
    const variables = axes.map((axis) => new LoopVar('r', operand.aval.shape[axis]!))
    let kept = 0
    const full = operand.aval.shape.map((_, axis) => {
      const at = axes.indexOf(axis)
      return at >= 0 ? variable(variables[at]!) : index[kept++]!
    })
    const into = new Local('total', scalarType(value.aval.dtype))
    scope.open = false
    const element = this.element(operand, full)
    scope.open = true
    const combine = combineOf(row.combine, value.aval.dtype)
    scope.statements.push({ op: 'reduce', variables, accumulators: [{ into, combine, value: element }] })
    return reducedElement(row.combine, value.aval.dtype, local(into))
  }

  /** Give a value a place now, where it turns out that it needs one. */
  #force(value: Value): void {
    if (value.origin!.row.kind === 'product') this.emitProduct(value, [value])
    else this.emitValues([value])
  }
  /** Run what builds kernels of its own from operands' elements. */
  inKernels<T>(f: () => T): T {
    return this.#inScope({ memo: new Map(), statements: [], product: undefined, open: false }, f)
  }
  #inScope<T>(scope: Scope, f: () => T): T {
    const outer = this.#scope
    this.#scope = scope
    try {
      return f()
    } finally {
      this.#scope = outer
    }
  }
  /** Store values' elements at coordinates, in the scope of the current kernel. */
  #stores(values: readonly Value[], at: (value: Value) => readonly Expr[]): { stores: Stmt[]; places: Place[] } {
    const places = values.map((value) => value.destination ?? this.placeFor(value.aval, value.zeroOne))
    const stores = values.map((value, i) => {
      const index = at(value)
      const element = this.element(value, index)
      // What adds to an element is known by the one buffer that it reads and writes.
      const same = value.origin!.operands.find(({ place }) => place !== undefined && place === value.destination)
      const buffer = same ? this.bufferOf(same) : this.bufferAt(places[i]!, sizeOf(value.aval.shape), 'out')
      return this.stored(buffer, flatIndex(index, value.aval.shape), element)
    })
    return { stores, places }
  }

  /** One nest that computes values of one shape. */
  emitValues(values: readonly Value[]): void {
    const [only] = values
    const source = values.length === 1 && only!.origin!.primitive === 'copy' ? only!.origin!.operands[0] : undefined
    if (source?.place !== undefined) {
      only!.place = only!.destination ?? this.placeFor(only!.aval, only!.zeroOne)
      this.write(source, only!.place)
      return
    }
    const { shape } = values[0]!.aval
    const grid = gridOver(shape)
    const index = grid.map(variable)
    const scope: Scope = { memo: new Map(), statements: [], product: undefined, open: true }
    const { stores, places } = this.#inScope(scope, () => this.#stores(values, () => index))
    this.nest(nameOf(values), grid, [...scope.statements, ...stores])
    values.forEach((value, i) => (value.place = places[i]))
  }
  /** One product, and values of its shape computed as its elements are done. */
  emitProduct(value: Value, values: readonly Value[]): void {
    const { primitive, row, operands, params, outs } = value.origin!
    const orders = primitive === 'dot_general' ? readingOrders(params, operands) : undefined
    const outside: Scope = { memo: new Map(), statements: [], product: undefined, open: false }
    const loops = this.#inScope(outside, () =>
      (row as ProductRow<never>).loops(
        operands.map((operand, i) => this.#factor(operand, orders?.[i])),
        params as never,
        outs,
      ),
    )
    const sum = new Local('sum', scalarType(value.aval.dtype))
    const product = { value, key: keyOf(loops.index), sum }
    const scope: Scope = { memo: new Map(), statements: [], product, open: false }
    const { stores, places } = this.#inScope(scope, () =>
      this.#stores(values, (member) => rearrangement(member, value)?.(loops.index) ?? loops.index),
    )
    const { batch, rows, columns, inner, left, right, zeroOne } = loops
    const body = shareExpressions(stores)
    const named = nameOf(values)
    if ([...batch, ...rows, ...columns].every(({ extent }) => extent > 0)) {
      const kernel: Omit<Product, 'params'> = {
        kind: 'product',
        name: named.includes(primitive) ? named : `${primitive}_${named}`,
        batch,
        rows,
        columns,
        inner,
        left,
        right,
        zeroOne,
        finite: this.#finiteOther(operands, zeroOne),
        sum,
        body,
      }
      const params = buffersOf(kernel)
      this.emit({
        op: 'launch',
        kernel: { ...kernel, params },
        args: params.map((buffer) => this.#places.get(buffer)!),
      })
    }
    values.forEach((to, i) => (to.place = places[i]))
  }
  /** Whether what a product selects from is known to be finite. */
  #finiteOther([left, right]: readonly Value[], zeroOne: Product['zeroOne']): Product['finite'] {
    const finite = zeroOne === 'left' ? right!.finite : zeroOne === 'right' ? left!.finite : undefined
    return finite && load(this.bufferOf(finite), i32(0))
  }
  nest(name: string, grid: readonly LoopVar[], body: readonly Stmt[]): Nest {
    // What an update in place would copy lies there already.
    const [only] = body
    if (only?.op === 'store' && only.value.op === 'load' && body.length === 1 && only.index === only.value.index) {
      if (this.#places.get(only.buffer) === this.#places.get(only.value.buffer))
        return { kind: 'nest', name, params: [], grid, body }
    }
    const shared = shareExpressions(body)
    const collapsed = collapseGrid({ kind: 'nest', name, params: [], grid, body: shared })
    const merged: Nest = { ...collapsed, body: mergeReductions(collapsed.body) }
    const kernel: Nest = { ...merged, params: buffersOf(merged) }
    // Nothing is written to what has no elements, and on a GPU such results cannot be told apart.
    if (grid.every(({ extent }) => extent > 0) && fills(kernel.body)) {
      this.emit({ op: 'launch', kernel, args: kernel.params.map((buffer) => this.#places.get(buffer)!) })
    }
    return kernel
  }
  /** Write a value to a place, whatever it is; the value itself need not stay there. */
  write(value: Value, to: Place): void {
    const length = sizeOf(value.aval.shape)
    if (length === 0) return
    if (value.place === undefined || value.place.slot.dtype !== to.slot.dtype) {
      const grid = gridOver(value.aval.shape)
      const scope: Scope = { memo: new Map(), statements: [], product: undefined, open: true }
      const index = grid.map(variable)
      const element = this.#inScope(scope, () => this.element(value, index))
      const out = this.bufferAt(to, length, 'out')
      this.nest(nameOf([value]), grid, [
        ...scope.statements,
        this.stored(out, flatIndex(index, value.aval.shape), element),
      ])
    } else this.emit({ op: 'copy', from: value.place, to, length })
  }
}

/**
 * If a value is a product's elements in another order, how coordinates of the product become its own: the product can then store its elements
 * in that order.
 */
export function rearrangement(value: Value, product: Value): ((index: readonly Expr[]) => readonly Expr[]) | undefined {
  const { origin } = value
  const source = origin?.operands[0]
  if (source === undefined || source.place !== undefined) return undefined
  const inner =
    source === product ? (index: readonly Expr[]) => index : source.wanted ? undefined : rearrangement(source, product)
  if (inner === undefined) return undefined
  switch (origin!.primitive) {
    case 'transpose': {
      const { permutation } = origin!.params as { readonly permutation: readonly number[] }
      return (index) => permutation.map((axis) => inner(index)[axis]!)
    }
    case 'reshape':
    case 'squeeze':
      return (index) => unflatten(flatIndex(inner(index), source.aval.shape), value.aval.shape)
    default:
      return undefined
  }
}

/** Whether statements may write elements anywhere. */
function fills(body: readonly Stmt[]): boolean {
  let found = false
  walkStatements(body, (statement) => {
    if (statement.op === 'store' || statement.op === 'update') found ||= statement.buffer.length > 0
  })
  return found
}

/** A name that says what a kernel does: its operations from the last one back, some of them. */
function nameOf(values: readonly Value[]): string {
  const names: string[] = []
  const walk = (value: Value): void => {
    if (value.origin === undefined || value.place !== undefined || names.length >= 4) return
    names.push(value.origin.primitive)
    value.origin.operands.forEach(walk)
  }
  values.forEach(walk)
  return names.length === 0 ? 'fill' : names.reverse().join('_').replaceAll('-', '_')
}
