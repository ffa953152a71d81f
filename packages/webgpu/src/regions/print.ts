/**
 * Prints regions for devices whose invocations work together: a workgroup takes a tile through all steps of the loop. Its invocations share the
 * points of each kernel, and wait for each other where one kernel needs what another one has stored. What the steps hand on lies in workgroup
 * memory where there is room, and so do matrices that all steps read.
 */
import {
  type Buffer,
  type Expr,
  type Kernel,
  LoopVar,
  type Nest,
  type Product,
  type Stmt,
  accessOfKernel,
  gridOf,
  indexAdd,
  indexMul,
  load,
  mapStatement,
  pointsOf,
  rewriting,
  variable,
  walkStatements,
} from '@fluxion/compiler'
import { type Layout, usesOf } from '../print/access.ts'
import { Emitter } from '../print/emitter.ts'
import { literal, wgslType } from '../print/literals.ts'
import { type Printed, bindCoordinates, groupNumber, groupsPerRow } from '../print/nest.ts'
import { Shader } from '../print/shader.ts'
import type { Traits } from '../print/traits.ts'
import { type WordPlan, planWords, printLanes } from '../print/words.ts'
import { alongAxis } from './cut.ts'
import { type Moved, movedOf } from './memory.ts'
import { type Phase, type Region, type Turns, pointBody } from './region.ts'

/** Invocations of a workgroup, where a device has as many. */
const mostInvocations = 256
/** Sums of a product that an invocation keeps at once. */
const mostSums = 8
export const printRegion = (region: Region, layout: Layout, traits: Traits): Printed =>
  new RegionPrinter(region, layout, traits).print()

/** A phase as it is printed. */
interface Ready {
  readonly row: LoopVar
  /** The loops of its grid but for the axis. */
  readonly others: readonly LoopVar[]
  readonly inPlace: Replacing
  readonly body: readonly Stmt[]
  /** Which of its stores are of whole words. */
  readonly words: WordPlan
}

class RegionPrinter {
  readonly #region: Region
  readonly #shader: Shader
  readonly #emitter: Emitter
  readonly #lanes: number
  readonly #moved: ReadonlyMap<Buffer, Moved>
  readonly #ready = new Map<Phase, Ready>()
  /** Names of the tile's number, and of its first place on the axis. */
  readonly #first = 'first'
  /** What was read and written since the invocations waited for each other. */
  #reads = new Set<object>()
  #writes = new Set<object>()

  constructor(region: Region, layout: Layout, { workgroup }: Traits) {
    this.#region = region
    this.#lanes = Math.min(mostInvocations, workgroup.invocations)
    this.#moved = movedOf(region, workgroup.bytes)
    const phases = phasesIn(region.turns)
    for (const phase of phases) this.#ready.set(phase, this.#prepare(phase, layout))
    // Words that are stored whole by all, and by no transfer, are plain ones.
    const ready = [...this.#ready.values()]
    const whole = [...usesOf(region).stored].filter(
      (buffer) =>
        !this.#moved.has(buffer) &&
        ready.every(({ words, body }) => words.buffers.has(buffer) || !storesTo(body, buffer)),
    )
    this.#shader = new Shader(region, layout, new Set(whole))
    this.#emitter = new Emitter(this.#shader)
    for (const { to } of this.#moved.values()) this.#shader.addWorkgroup(to)
  }
  #prepare(phase: Phase, layout: Layout): Ready {
    const { kernel, axis } = phase
    const row = new LoopVar('row', this.#region.rows)
    const inPlace = this.#replacing(axis, row)
    const others = gridOf(kernel).filter((each) => each !== axis)
    const columns = kernel.kind === 'product' && rowsOf(phase) !== undefined ? kernel.columns : undefined
    const body = (columns === undefined ? pointBody(kernel) : kernel.body).map(inPlace.statement)
    const grid = columns ?? others
    const nest: Nest = { kind: 'nest', name: kernel.name, params: this.#region.params, grid, body }
    return { row, others, inPlace, body, words: planWords(nest, layout, grid.at(-1), false) }
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

  #phase(phase: Phase): void {
    const { kernel, axis } = phase
    this.#waitFor(kernel)
    const ready = this.#ready.get(phase)!
    const rows = rowsOf(phase)
    if (kernel.kind === 'product' && rows !== undefined) {
      this.#product(kernel, rows, ready)
      return
    }
    const emitter = this.#emitter
    const { row, others, body, words } = ready
    const fast = others.at(-1)
    const textOf = (v: LoopVar): string => emitter.texts(variable(v))[0]!
    const over = (loops: readonly LoopVar[], print: () => void): void => {
      const around = axis === undefined ? loops : [row, ...loops]
      this.#share(pointsOf(around), (at) => {
        emitter.declare(body)
        bindCoordinates(emitter, around, at)
        if (axis !== undefined) emitter.bind(axis, emitter.name(axis.name, `${this.#first} + ${textOf(row)}`))
        print()
      })
    }
    if (words.lanes === 1 || fast === undefined) {
      over(others, () => emitter.statements(body))
      return
    }
    const chunk = new LoopVar('chunk', fast.extent / words.lanes)
    over([...others.slice(0, -1), chunk], () => {
      const start = emitter.name('start', `${textOf(chunk)} * ${words.lanes}i`)
      printLanes(emitter, { ...kernel, body }, words, fast, start)
    })
  }
  /**
   * A product whose rows are the axis: an invocation takes a column, or as many as share a word that is stored, and for it as many rows as leave
   * work for all.
   */
  #product(kernel: Product, axis: LoopVar, { row, inPlace, body, words }: Ready): void {
    const { columns, inner, left, right, sum } = kernel
    const emitter = this.#emitter
    const { rows } = this.#region
    const fast = columns.at(-1)
    const chunk = new LoopVar('chunk', (fast?.extent ?? 1) / words.lanes)
    const around = [...columns.slice(0, -1), chunk]
    const across = pointsOf(around)
    let each = rows
    while (each > 1 && (across * (rows / each) < this.#lanes || each * words.lanes > mostSums))
      each = previousDivisor(rows, each)
    const truth = sum.type === 'bool'
    const type = wgslType(sum.type)
    const [x, y] = [inPlace.expression(left), inPlace.expression(right)]
    this.#share(across * (rows / each), (at) => {
      emitter.declare(body, sum)
      const start = each === rows ? '0i' : emitter.name('start', `(${at} / ${across}i) * ${each}i`)
      bindCoordinates(emitter, around, each === rows ? at : emitter.name('column', `${at} % ${across}i`))
      const column = emitter.name('column', `${emitter.texts(variable(chunk))[0]!} * ${words.lanes}i`)
      const lanes = Array.from({ length: words.lanes }, (_, i) => emitter.name('column', `${column} + ${i}i`))
      const places = Array.from({ length: each }, (_, i) => emitter.name('row', `${start} + ${i}i`))
      const sums = places.map(() =>
        lanes.map(() => {
          const name = this.#shader.names.unique('sum')
          emitter.line(`var ${name} = ${literal(sum.type, 0)};`)
          return name
        }),
      )
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
        const factors = lanes.map((lane) => {
          if (fast !== undefined) emitter.bind(fast, lane)
          return emitter.name('right', emitter.texts(y)[0]!)
        })
        sums.forEach((ofRow, i) => {
          bindRow(places[i]!)
          const factor = emitter.name('left', emitter.texts(x)[0]!)
          ofRow.forEach((name, lane) => {
            const product = this.#shader.combine('mul', sum.type, factor, factors[lane]!)
            emitter.line(`${name} = ${this.#shader.combine(truth ? 'or' : 'add', sum.type, name, product)};`)
          })
        })
      }
      nest(0)
      sums.forEach((ofRow, i) => {
        bindRow(places[i]!)
        emitter.block('{', () => {
          if (fast === undefined || words.lanes === 1) {
            if (fast !== undefined) emitter.bind(fast, column)
            emitter.line(`${emitter.localName(sum)} = ${ofRow[0]!};`)
            emitter.statements(body)
            return
          }
          const totals = this.#shader.names.unique('totals')
          emitter.line(`var ${totals} = array<${type}, ${words.lanes}>(${ofRow.join(', ')});`)
          printLanes(emitter, { ...kernel, body }, words, fast, column, (lane) =>
            emitter.line(`${emitter.localName(sum)} = ${totals}[${lane}];`),
          )
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
const phasesIn = ({ body }: Turns): Phase[] => body.flatMap((step) => (step.op === 'turns' ? phasesIn(step) : [step]))
function storesTo(body: readonly Stmt[], buffer: Buffer): boolean {
  let found = false
  walkStatements(body, (statement) => void (found ||= statement.op === 'store' && statement.buffer === buffer))
  return found
}
/** The axis of a product whose rows are that and nothing else. */
function rowsOf({ kernel, axis }: Phase): LoopVar | undefined {
  if (kernel.kind !== 'product' || pointsOf(kernel.batch) > 1 || kernel.rows.length !== 1) return undefined
  return kernel.rows[0] === axis ? axis : undefined
}
