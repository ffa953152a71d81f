/**
 * Prints regions for devices whose invocations work together: a workgroup takes a tile through all steps of the loop. Its invocations share the
 * points of each kernel, and wait for each other where one kernel needs what another one has stored. What the steps hand on lies in workgroup
 * memory where there is room, and so do matrices that all steps read.
 */
import {
  Buffer,
  type Expr,
  type Kernel,
  LoopVar,
  type Stmt,
  accessOfKernel,
  gridOf,
  indexAdd,
  indexMul,
  indexRange,
  load,
  mapStatement,
  pointsOf,
  rewriting,
  scalarType,
  variable,
  walk,
  walkExpressions,
  walkStatements,
} from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import { type Layout, usesOf } from '../print/access.ts'
import { Emitter } from '../print/emitter.ts'
import { literal, wgslType } from '../print/literals.ts'
import { type Printed, bindCoordinates, groupNumber, groupsPerRow } from '../print/nest.ts'
import { Shader } from '../print/shader.ts'
import type { Traits } from '../print/traits.ts'
import { alongAxis } from './cut.ts'
import { type Phase, type Region, type Turns, pointBody } from './region.ts'

/** Invocations of a workgroup, where a device has as many. */
const mostInvocations = 256
/** The dtype of what is kept in workgroup memory, which is machine values. */
const kept = { f32: 'float32', f64: 'float64', i32: 'int32', u32: 'uint32', bool: 'bool' } as const
const keptDtype = (dtype: DType): DType => kept[scalarType(dtype)]

/** A buffer whose elements, those of a tile, lie in workgroup memory during the loop. */
interface Moved {
  readonly from: Buffer
  readonly to: Buffer
  /** Elements between neighbours on the axis, and the blocks that hold the axis' places, from the first one on; none of what is only read. */
  readonly rows: { readonly stride: number; readonly first: number; readonly blocks: number } | undefined
  /** Of what each tile has for itself: how many elements. */
  readonly each: number | undefined
  readonly outside: boolean
  readonly written: boolean
}

export function printRegion(region: Region, layout: Layout, traits: Traits): Printed {
  const shader = new Shader(region, layout, new Set())
  return new RegionPrinter(region, shader, traits).print()
}

class RegionPrinter {
  readonly #region: Region
  readonly #shader: Shader
  readonly #emitter: Emitter
  readonly #lanes: number
  readonly #moved: ReadonlyMap<Buffer, Moved>
  /** Names of the tile's number, and of its first place on the axis. */
  readonly #first = 'first'
  /** What was read and written since the invocations waited for each other. */
  #reads = new Set<object>()
  #writes = new Set<object>()

  constructor(region: Region, shader: Shader, { workgroup }: Traits) {
    this.#region = region
    this.#shader = shader
    this.#emitter = new Emitter(shader)
    this.#lanes = Math.min(mostInvocations, workgroup.invocations)
    this.#moved = movedOf(region, workgroup.bytes)
    for (const { to } of this.#moved.values()) shader.addWorkgroup(to)
  }
  print(): Printed {
    const { tile, rows, turns } = this.#region
    const emitter = this.#emitter
    const groups = tile.extent
    emitter.line(`let tile = i32(${groupNumber(groups)});`)
    if (groups > groupsPerRow) emitter.line(`if (tile >= ${groups}i) { return; }`)
    emitter.line(`let ${this.#first} = tile * ${rows}i;`)
    emitter.bind(tile, 'tile')
    const moved = [...this.#moved.values()]
    for (const each of moved) if (each.outside) this.#transfer(each, 'in')
    if (moved.length > 0) emitter.line('workgroupBarrier();')
    this.#turns(turns)
    for (const each of moved) if (each.outside && each.written) this.#transfer(each, 'out')
    return { source: this.#shader.source(this.#lanes, emitter.lines), groups }
  }
  /** A loop of all invocations over a number of points, of which each takes every so manyth. */
  #share(points: number, body: (at: string) => void): void {
    const at = this.#shader.names.unique('at')
    this.#emitter.block(`for (var ${at} = i32(lane); ${at} < ${points}i; ${at} += ${this.#lanes}i) {`, () => body(at))
  }
  /** Bring a tile's elements to workgroup memory, or back. */
  #transfer({ from, to, rows, each }: Moved, way: 'in' | 'out'): void {
    const emitter = this.#emitter
    this.#share(to.length, (at) => {
      let place = each === undefined ? at : `(tile * ${each}i + ${at})`
      if (rows !== undefined) {
        const { stride, first, blocks } = rows
        const inBlock = stride * this.#region.rows
        const size = stride * this.#region.rows * this.#region.tile.extent
        const block = blocks === 1 ? `${first}i` : `(${at} / ${inBlock}i + ${first}i)`
        place = `(${block} * ${size}i + ${this.#first} * ${stride}i + ${blocks === 1 ? at : `${at} % ${inBlock}i`})`
      }
      const index = emitter.name('place', place)
      if (way === 'out') {
        for (const line of this.#shader.store(from, index, this.#shader.load(to, at))) emitter.line(line)
        return
      }
      const value = this.#shader.load(from, emitter.name('place', this.#shader.elementAt(from, index)))
      for (const line of this.#shader.store(to, at, value)) emitter.line(line)
    })
  }

  #turns({ variable: turn, body }: Turns): void {
    this.#emitter.loop(turn, `${turn.extent}i`, () => {
      for (const step of body) {
        if (step.op === 'turns') this.#turns(step)
        else this.#phase(step)
      }
      // The next turn may begin with what this one ends with.
      this.#wait()
    })
  }
  #wait(): void {
    if (this.#reads.size + this.#writes.size === 0) return
    this.#emitter.line('workgroupBarrier();')
    this.#emitter.line('storageBarrier();')
    this.#reads.clear()
    this.#writes.clear()
  }
  /** Wait if a kernel reads what was written, or writes what was read or written; note what it does. */
  #waitFor(kernel: Kernel): void {
    const { reads, writes } = accessOfKernel(kernel)
    const slots = (buffers: ReadonlySet<Buffer>): object[] =>
      [...buffers].map((buffer) => this.#region.kept.get(buffer)!.slot)
    const [read, written] = [slots(reads), slots(writes)]
    const clash =
      read.some((slot) => this.#writes.has(slot)) ||
      written.some((slot) => this.#writes.has(slot) || this.#reads.has(slot))
    if (clash) this.#wait()
    for (const slot of read) this.#reads.add(slot)
    for (const slot of written) this.#writes.add(slot)
  }

  #phase({ kernel, axis }: Phase): void {
    this.#waitFor(kernel)
    const row = new LoopVar('row', this.#region.rows)
    const inPlace = this.#replacing(axis, row)
    const others = gridOf(kernel).filter((each) => each !== axis)
    const [only, ...more] = kernel.kind === 'product' ? kernel.rows : []
    if (
      kernel.kind === 'product' &&
      axis !== undefined &&
      only === axis &&
      more.length === 0 &&
      pointsOf(kernel.batch) === 1
    ) {
      this.#product(kernel, axis, row, inPlace)
      return
    }
    const body = pointBody(kernel).map(inPlace.statement)
    if (axis === undefined) {
      this.#share(pointsOf(others), (at) => {
        this.#emitter.declare(body)
        bindCoordinates(this.#emitter, others, at)
        this.#emitter.statements(body)
      })
      return
    }
    this.#share(this.#region.rows * pointsOf(others), (at) => {
      this.#emitter.declare(body)
      bindCoordinates(this.#emitter, [row, ...others], at)
      this.#emitter.bind(axis, this.#emitter.name(axis.name, `${this.#first} + ${this.#rowText(row, at, others)}`))
      this.#emitter.statements(body)
    })
  }
  /** The text of a row, which `bindCoordinates` has bound. */
  #rowText(row: LoopVar, at: string, others: readonly LoopVar[]): string {
    const points = pointsOf(others)
    return row.extent === 1 ? '0i' : points === 1 ? at : `${at} / ${points}i`
  }
  /** A product whose rows are the axis: an invocation takes a column, and for it as many rows as leave work for all. */
  #product(
    { columns, inner, left, right, sum, body }: Extract<Kernel, { kind: 'product' }>,
    axis: LoopVar,
    row: LoopVar,
    inPlace: Replacing,
  ): void {
    const emitter = this.#emitter
    const { rows } = this.#region
    const across = pointsOf(columns)
    let each = rows
    while (each > 1 && across * (rows / each) < this.#lanes) each = previousDivisor(rows, each)
    const truth = sum.type === 'bool'
    const type = wgslType(sum.type)
    const statements = body.map(inPlace.statement)
    const [x, y] = [inPlace.expression(left), inPlace.expression(right)]
    this.#share(across * (rows / each), (at) => {
      emitter.declare(statements, sum)
      const start = each === rows ? '0i' : emitter.name('start', `(${at} / ${across}i) * ${each}i`)
      bindCoordinates(emitter, columns, each === rows ? at : emitter.name('column', `${at} % ${across}i`))
      const places = Array.from({ length: each }, (_, i) => emitter.name('row', `${start} + ${i}i`))
      const sums = places.map(() => {
        const name = this.#shader.names.unique('sum')
        emitter.line(`var ${name} = ${literal(sum.type, 0)};`)
        return name
      })
      const bindRow = (place: string): void => {
        emitter.bind(row, place)
        emitter.bind(axis, `(${this.#first} + ${place})`)
      }
      const nest = (depth: number): void => {
        const turn = inner[depth]
        if (turn !== undefined) {
          emitter.loop(turn, `${turn.extent}i`, () => nest(depth + 1))
          return
        }
        const factor = emitter.name('factor', emitter.texts(y)[0]!)
        sums.forEach((name, i) => {
          bindRow(places[i]!)
          const product = this.#shader.combine('mul', sum.type, emitter.texts(x)[0]!, factor)
          emitter.line(`${name} = ${this.#shader.combine(truth ? 'or' : 'add', sum.type, name, product)};`)
        })
      }
      nest(0)
      sums.forEach((name, i) => {
        bindRow(places[i]!)
        emitter.block('{', () => {
          emitter.line(`${emitter.localName(sum)} = ${type}(${name});`)
          emitter.statements(statements)
        })
      })
    })
  }

  /** Statements and expressions of a phase with elements in workgroup memory where these are. */
  #replacing(axis: LoopVar | undefined, row: LoopVar): Replacing {
    const placeOf = (buffer: Buffer, index: Expr): { readonly to: Buffer; readonly index: Expr } | undefined => {
      const moved = this.#moved.get(buffer)
      if (moved === undefined) return undefined
      const { each, rows } = moved
      if (each !== undefined)
        return { to: moved.to, index: indexAdd(index, indexMul(variable(this.#region.tile), -each)) }
      if (rows === undefined) return { to: moved.to, index }
      const { stride, first } = rows
      const { block, rest } = alongAxis(index, axis!, stride)!
      const inBlock = stride * this.#region.rows
      return {
        to: moved.to,
        index: indexAdd(indexMul(indexAdd(block, -first), inBlock), indexMul(variable(row), stride), rest),
      }
    }
    const expression = rewriting((x) => {
      if (x.op !== 'load') return undefined
      const found = placeOf(x.buffer, x.index)
      return found === undefined ? undefined : { ...load(found.to, expression(found.index)) }
    })
    const statement = (s: Stmt): Stmt => {
      if (s.op === 'store') {
        const found = placeOf(s.buffer, s.index)
        if (found === undefined) return mapStatement(s, expression)
        return { ...s, buffer: found.to, index: expression(found.index), value: expression(s.value) }
      }
      if (s.op === 'for' || s.op === 'while') {
        const inside = s.body.map(statement)
        return s.op === 'for'
          ? { ...s, extent: expression(s.extent), body: inside }
          : { ...s, condition: expression(s.condition), body: inside }
      }
      if (s.op === 'if') {
        return { ...s, condition: expression(s.condition), yes: s.yes.map(statement), no: s.no.map(statement) }
      }
      return mapStatement(s, expression)
    }
    return { expression, statement }
  }
}
interface Replacing {
  readonly expression: (x: Expr) => Expr
  readonly statement: (statement: Stmt) => Stmt
}
function previousDivisor(of: number, below: number): number {
  let found = below - 1
  while (of % found !== 0) found--
  return found
}

/** What goes to workgroup memory: first what the steps hand on, the smallest first, then what all of them read. */
function movedOf(region: Region, bytes: number): Map<Buffer, Moved> {
  const { loaded, stored, updated } = usesOf(region)
  const indices = indicesOf(region)
  const candidates: Moved[] = []
  for (const [from, { stride, each, alone, outside }] of region.kept) {
    if (updated.has(from) || !alone) continue
    const written = stored.has(from)
    const dtype = keptDtype(from.dtype)
    if (written && each !== undefined) {
      candidates.push({ from, to: new Buffer('kept', dtype, each), rows: undefined, each, outside, written })
    } else if (!written) {
      // The elements from the first one on, where no counter moves them.
      const all = indices.get(from)!
      const [low, high] = [
        Math.min(...all.map(({ index }) => indexRange(index)[0])),
        Math.max(...all.map(({ index }) => indexRange(index)[1])),
      ]
      const fixed = all.every(
        ({ index, turns, axis }) => ![...turns, axis].some((v) => v !== undefined && mentioned(index, v)),
      )
      if (low !== 0 || !fixed || high >= from.length) continue
      candidates.push({
        from,
        to: new Buffer('kept', dtype, high + 1),
        rows: undefined,
        each: undefined,
        outside: true,
        written,
      })
    } else if (stride !== undefined && loaded.has(from)) {
      const blocks = indices.get(from)!.map(({ index, axis }) => indexRange(alongAxis(index, axis!, stride)!.block))
      const first = Math.min(...blocks.map(([low]) => low))
      const count = Math.max(...blocks.map(([, high]) => high)) - first + 1
      if (count > 2) continue
      const to = new Buffer('kept', dtype, count * region.rows * stride)
      candidates.push({ from, to, rows: { stride, first, blocks: count }, each: undefined, outside, written })
    }
  }
  const order = candidates.sort((a, b) => Number(b.written) - Number(a.written) || a.to.length - b.to.length)
  let left = bytes
  const chosen = order.filter(({ to }) => {
    const size = 4 * to.length
    if (size > left) return false
    left -= size
    return true
  })
  return new Map(chosen.map((moved) => [moved.from, moved]))
}
const mentioned = (x: Expr, v: LoopVar): boolean => {
  let found = false
  walk(x, (part) => void (part.op === 'var' && part.variable === v && (found = true)))
  return found
}
interface Indexed {
  readonly index: Expr
  readonly axis: LoopVar | undefined
  /** The loops over steps that it stands in. */
  readonly turns: readonly LoopVar[]
}
/** Where phases use each buffer. */
function indicesOf(region: Region): Map<Buffer, Indexed[]> {
  const found = new Map<Buffer, Indexed[]>()
  const visit = (step: Phase | Turns, turns: readonly LoopVar[]): void => {
    if (step.op === 'turns') {
      for (const inner of step.body) visit(inner, [...turns, step.variable])
      return
    }
    const { kernel, axis } = step
    const add = (buffer: Buffer, index: Expr): void => {
      const list = found.get(buffer) ?? []
      found.set(buffer, list)
      list.push({ index, axis, turns })
    }
    const seen = new Set<Expr>()
    const look = (x: Expr): void => void (x.op === 'load' && add(x.buffer, x.index))
    if (kernel.kind === 'product') for (const side of [kernel.left, kernel.right]) walk(side, look, seen)
    walkExpressions(kernel.body, look, seen)
    walkStatements(kernel.body, (statement) => {
      if (statement.op === 'store' || statement.op === 'update') add(statement.buffer, statement.index)
    })
  }
  visit(region.turns, [])
  return found
}
