/** Emits statements: scalar ones once, those with lanes once for each copy. */
import {
  type Buffer,
  children,
  type Expr,
  expressionsOf,
  type Local,
  type ScalarFunction,
  type Stmt,
  walkStatements,
} from '@fluxion/compiler'
import type { FunctionRef } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'
import { Emitter } from './emitter.ts'
import type { PrintOptions } from './scalarEmitter.ts'
import { definitionOf } from './ranges.ts'
import { emitReduce } from './reduce.ts'
import { binaryCode, valueType } from './scalar.ts'
import { changesOf } from './scope.ts'
import {
  loadBits,
  loadElements,
  loadScalar,
  loadVector,
  scatter,
  storeBits,
  storeElements,
  storeScalar,
  storeTruths,
  storeVector,
} from './storage.ts'
import { storedTogether, storeTogether } from './together.ts'
import { binaryVector, extractLane } from './vector.ts'

/** Emit the body of a nest's grid. */
export function emitBody(e: Emitter, body: readonly Stmt[]): void {
  const once = assignedOnce(body)
  for (const statement of body) {
    if (statement.op === 'assign' && once.has(statement.local) && e.alias(statement.local, statement.value)) continue
    emitStatement(e, statement)
  }
}
function assignedOnce(body: readonly Stmt[]): ReadonlySet<Local> {
  const counts = new Map<Local, number>()
  walkStatements(body, (statement) => {
    if (statement.op === 'assign') counts.set(statement.local, (counts.get(statement.local) ?? 0) + 1)
    if (statement.op === 'reduce') for (const { into } of statement.accumulators) counts.set(into, 2)
  })
  return new Set([...counts].filter(([, count]) => count === 1).map(([local]) => local))
}
type Assign = Extract<Stmt, { op: 'assign' }>
type Store = Extract<Stmt, { op: 'store' }>

/** Emit statements one after the other; with lanes those that can be computed together are. */
export function emitStatements(e: Emitter, body: readonly Stmt[]): void {
  for (let at = 0; at < body.length;) {
    const together = e.vector === undefined || e.vector.copies === 1 ? [] : togetherFrom(e, body, at)
    if (together.length < 2) emitStatement(e, body[at]!)
    else emitTogether(e, together)
    at += Math.max(1, together.length)
  }
}
interface Together {
  readonly statement: Assign | Store
  /** The local that the statement gives its only value, which later ones can read from the expression. */
  readonly stands: Local | undefined
}
/** The statements from one on that can compute all that they need before any of them changes anything. */
function togetherFrom(e: Emitter, body: readonly Stmt[], from: number): Together[] {
  const [read, assigned, stored] = [new Set<Local>(), new Set<Local>(), new Set<Buffer>()]
  const list: Together[] = []
  for (const statement of body.slice(from)) {
    if (statement.op !== 'assign' && statement.op !== 'store') break
    const { value } = statement
    if (!e.varies(value) || (statement.op === 'store' && e.access(statement.index).kind !== 'contiguous')) break
    const seen = new Set<Expr>()
    const isFree = (x: Expr): boolean => {
      if (seen.has(x)) return true
      seen.add(x)
      if (x.op === 'local') {
        read.add(x.local)
        // One that stands for an expression is read as that.
        const made = list.find(({ stands }) => stands === x.local)
        return made === undefined ? !assigned.has(x.local) : isFree(made.statement.value)
      }
      return !(x.op === 'load' && stored.has(x.buffer)) && children(x).every(isFree)
    }
    if (!expressionsOf(statement).every(isFree)) break
    let stands: Local | undefined
    if (statement.op === 'store') stored.add(statement.buffer)
    else {
      const { local } = statement
      if (definitionOf(local) === value && !read.has(local) && !e.isInvariant(value)) stands = local
      else assigned.add(local)
    }
    list.push({ statement, stands })
  }
  return list
}
function emitTogether(e: Emitter, list: readonly Together[]): void {
  for (const { statement, stands } of list) if (stands !== undefined) e.stand(stands, statement.value)
  const roots = list.flatMap(({ statement }) => expressionsOf(statement))
  e.statement(roots, () => {
    e.interleave(...list.flatMap(({ statement }) => inLanes(e, statement)))
    for (const { statement } of list) {
      if (statement.op === 'store') emitStore(e, statement)
      else assignLanes(e, statement)
    }
  })
  for (const { stands } of list) if (stands !== undefined) e.stand(stands, undefined)
}
/** What a statement needs in lanes; what is only moved needs no registers. */
function inLanes(e: Emitter, statement: Assign | Store): Expr[] {
  if (statement.op === 'assign') return [statement.value]
  const value = unrounded(e, statement.buffer, statement.value)
  return value.op === 'load' ? [] : [isTruth(value) ? value.x : value]
}
function assignLanes(e: Emitter, { local, value }: Assign): void {
  for (let copy = 0; copy < e.vector!.copies; copy++) {
    e.lanes(value, copy)
    e.f.set(e.registerOf(local, copy))
  }
}
function emitStatement(e: Emitter, statement: Stmt): void {
  switch (statement.op) {
    case 'for': {
      const { variable, extent, body } = statement
      const inside = (): void => emitStatements(e, body)
      if (extent.op === 'const') {
        if (extent.value > 0) {
          e.loop(variable, { start: 0, end: extent.value, step: 1, runs: true }, changesOf(body), inside)
        }
        return
      }
      const end = e.f.register('i32')
      e.statement([extent], () => e.scalar(extent))
      e.f.set(end)
      e.loop(variable, { start: 0, end, step: 1, runs: false }, changesOf(body), inside)
      return
    }
    case 'while':
      e.while(statement.condition, changesOf(statement.body), () => emitStatements(e, statement.body))
      return
    case 'if': {
      const { condition, yes, no } = statement
      e.branch(condition, () => emitStatements(e, yes), no.length === 0 ? undefined : () => emitStatements(e, no))
      return
    }
    case 'assign': {
      const { local, value } = statement
      e.statement([value], () => {
        if (e.vector?.varying.has(local) !== true) {
          e.scalar(value)
          e.f.set(e.registerOf(local))
          return
        }
        e.interleave(value)
        assignLanes(e, statement)
      })
      return
    }
    case 'store':
      e.statement([statement.index, statement.value], () => {
        if (e.vector !== undefined) e.interleave(...inLanes(e, statement))
        emitStore(e, statement)
      })
      return
    case 'update':
      e.statement([statement.index, statement.value], () => emitUpdate(e, statement))
      return
    case 'reduce':
      emitReduce(e, statement)
      return
  }
}

/** The value before its last rounding to the buffer's dtype, which storing does by itself. */
function unrounded(e: Emitter, buffer: Buffer, value: Expr): Expr {
  return value.op === 'narrow' && value.dtype === buffer.dtype && e.uses(value) < 2 ? value.x : value
}
const isTruth = (value: Expr): value is Extract<Expr, { op: 'convert' }> =>
  value.op === 'convert' && value.x.type === 'bool' && value.type === 'f32'
function emitStore(e: Emitter, { buffer, index, value: stored }: Extract<Stmt, { op: 'store' }>): void {
  const { dtype } = buffer
  const value = unrounded(e, buffer, stored)
  const { vector } = e
  if (vector === undefined || !(e.varies(value) || e.varies(index))) {
    const offset = e.address(buffer, index)
    if (value.op === 'load' && value.buffer.dtype === dtype && e.uses(value) < 2) {
      loadBits(e.f, dtype, e.address(value.buffer, value.index))
      storeBits(e.f, dtype, offset)
      return
    }
    e.scalar(value)
    storeScalar(e, dtype, offset)
    return
  }
  const access = e.access(index)
  const together = access.kind === 'contiguous' && vector.lanes === 4 ? storedTogether(dtype, vector.copies) : 1
  if (together > 1 && value.op !== 'load') {
    const truths = dtype === 'bool' || isTruth(value)
    const stored = isTruth(value) ? value.x : value
    for (let copy = 0; copy < vector.copies; copy += together) {
      const offset = e.address(buffer, index, copy * vector.lanes)
      storeTogether(e, dtype, together as 2 | 4, truths, (other) => e.lanes(stored, copy + other), offset)
    }
    return
  }
  for (let copy = 0; copy < vector.copies; copy++) {
    if (access.kind === 'contiguous') {
      const offset = e.address(buffer, index, copy * vector.lanes)
      if (value.op === 'load' && value.buffer.dtype === dtype && e.access(value.index).kind === 'contiguous') {
        loadElements(e.f, dtype, vector.lanes, e.address(value.buffer, value.index, copy * vector.lanes))
        storeElements(e.f, dtype, vector.lanes, offset)
        continue
      }
      if (isTruth(value) && (dtype === 'float16' || dtype === 'bfloat16')) {
        e.lanes(value.x, copy)
        storeTruths(e, dtype, vector.lanes, offset)
        continue
      }
      e.lanes(value, copy)
      storeVector(e, dtype, vector.lanes, offset)
      continue
    }
    e.lanes(value, copy)
    const values = e.f.temporary('v128')
    e.f.set(values)
    e.eachLane(access, buffer, index, copy, (address) => {
      e.f.get(values)
      scatter(e, dtype, vector.lanes, address)
    })
    e.f.release(values)
  }
}
function emitUpdate(e: Emitter, { buffer, index, combine, value }: Extract<Stmt, { op: 'update' }>): void {
  const { f, vector } = e
  const { dtype } = buffer
  const { type } = value
  /** Combine with the element at an address, once for each of the lanes at it. */
  const combineAt = (address: () => number, push: () => void): void => {
    const at = f.temporary('i32')
    const offset = address()
    f.tee(at).get(at)
    loadScalar(e, dtype, offset)
    push()
    binaryCode(combine, type)(f)
    storeScalar(e, dtype, offset)
    f.release(at)
  }
  if (vector === undefined || !(e.varies(value) || e.varies(index))) {
    const turns = vector === undefined ? 1 : vector.lanes * vector.copies
    for (let turn = 0; turn < turns; turn++) {
      combineAt(
        () => e.address(buffer, index),
        () => e.scalar(value),
      )
    }
    return
  }
  const access = e.access(index)
  const code = binaryVector(combine, type)
  for (let copy = 0; copy < vector.copies; copy++) {
    if (access.kind === 'contiguous' && code !== undefined) {
      const offset = e.address(buffer, index, copy * vector.lanes)
      const at = f.temporary('i32')
      f.tee(at).get(at)
      loadVector(e, dtype, vector.lanes, offset)
      e.lanes(value, copy)
      code(e)
      storeVector(e, dtype, vector.lanes, offset)
      f.release(at)
      continue
    }
    const values = f.temporary('v128')
    e.lanes(value, copy)
    f.set(values)
    e.eachLane(access, buffer, index, copy, (address) => {
      for (let lane = 0; lane < vector.lanes; lane++) {
        combineAt(
          () => address(lane),
          () => {
            f.get(values)
            extractLane(e, type, lane)
          },
        )
      }
    })
    f.release(values)
  }
}

const printed = new WeakMap<ModuleBuilder, Map<ScalarFunction, FunctionRef>>()
/** The function of a module that computes a scalar function, printed at its first use. */
export function functionOf(module: ModuleBuilder, callee: ScalarFunction, options: PrintOptions): FunctionRef {
  let functions = printed.get(module)
  if (functions === undefined) printed.set(module, (functions = new Map()))
  const known = functions.get(callee)
  if (known !== undefined) return known
  const params = callee.params.map(({ type }) => valueType(type))
  const f = module.function(callee.name, params, [valueType(callee.result.type)])
  functions.set(callee, f)
  const e = new Emitter(f, module, options, functionOf)
  callee.params.forEach((param, i) => e.bindLocal(param, [f.param(i)]))
  emitStatements(e, callee.body)
  e.statement([callee.result], () => e.scalar(callee.result))
  return f
}
