/** Prints loop nests: a point of the grid an invocation, or a workgroup where reductions are long. */
import { sizeOf } from '@fluxion/core'
import { type Expr, type LoopVar, type Nest, type Stmt, linearIn, pointsOf, walk } from '@fluxion/compiler'
import type { Layout } from './access.ts'
import { Emitter } from './emitter.ts'
import { wgslType } from './literals.ts'
import { Shader } from './shader.ts'
import type { Traits } from './traits.ts'
import { printVectors, takesVectors, vectorSize } from './vectors.ts'
import { planWords, printLanes } from './words.ts'

/** A module's text, and how many workgroups its dispatch has. */
export interface Printed {
  readonly source: string
  readonly groups: number
}
/** The largest size of a dispatch in each direction that every device allows. */
export const groupsPerRow = 65535
/** What stands at the start of an entry point: the number of the workgroup, of which rows may have too many. */
export const groupNumber = (groups: number): string =>
  groups > groupsPerRow ? `group.x + group.y * ${groupsPerRow}u` : 'group.x'

const extents = (variables: readonly LoopVar[]): number[] => variables.map(({ extent }) => extent)

/** Bind variables to the coordinates of a row-major place. */
export function bindCoordinates(emitter: Emitter, variables: readonly LoopVar[], place: string): void {
  let rest = place
  for (let at = variables.length - 1; at >= 0; at--) {
    const variable = variables[at]!
    if (at === 0) emitter.bind(variable, emitter.name(variable.name, rest))
    else {
      emitter.bind(variable, emitter.name(variable.name, `${rest} % ${variable.extent}i`))
      rest = emitter.name('rest', `${rest} / ${variable.extent}i`)
    }
  }
}

const invocations = 64
export function printNest(nest: Nest, layout: Layout, { shared, subgroups }: Traits): Printed {
  if (shared && isTree(nest)) return printTree(nest, layout, subgroups)
  const fast = nest.grid.at(-1)
  const plan = planWords(
    nest,
    layout,
    fast,
    nest.grid.slice(0, -1).every(({ extent }) => extent === 1),
  )
  const shader = new Shader(nest, layout, plan.buffers)
  const emitter = new Emitter(shader)
  const byVectors = shared && plan.lanes === 1 && takesVectors(nest, shader)
  const lanes = byVectors ? vectorSize : plan.lanes
  const sizes = extents(nest.grid)
  const points = sizeOf([...sizes.slice(0, -1), Math.ceil((fast?.extent ?? 1) / lanes)])
  const groups = Math.ceil(points / invocations)
  emitter.line(`let point = i32((${groupNumber(groups)}) * ${invocations}u + lane);`)
  if (groups * invocations !== points || groups > groupsPerRow) emitter.line(`if (point >= ${points}i) { return; }`)
  emitter.declare(nest.body)
  if (lanes === 1 || fast === undefined) {
    bindCoordinates(emitter, nest.grid, 'point')
    emitter.statements(nest.body)
  } else {
    const turns = Math.ceil(fast.extent / lanes)
    const others = nest.grid.slice(0, -1).filter(({ extent }) => extent > 1)
    const first = emitter.name('first', others.length === 0 ? `point * ${lanes}i` : `(point % ${turns}i) * ${lanes}i`)
    if (others.length > 0) bindCoordinates(emitter, others, emitter.name('rest', `point / ${turns}i`))
    for (const variable of nest.grid) if (variable !== fast && variable.extent === 1) emitter.bind(variable, '0i')
    if (byVectors) printVectors(emitter, nest, fast, first)
    else printLanes(emitter, nest, plan, fast, first)
  }
  return { source: shader.source(invocations, emitter.lines), groups }
}

type Reduce = Extract<Stmt, { op: 'reduce' }>
export const turnsOf = ({ variables }: Reduce): number => pointsOf(variables)
/** Reductions shorter than this are left to one invocation. */
const longReduction = 128
/** From so many points on, a device is busy with one invocation for each. */
const manyPoints = 4096

/**
 * Whether a workgroup works on each point: the body begins with assignments and reductions, of which one is long, and there are few points, or
 * the reduction runs along memory.
 */
function isTree({ grid, body }: Nest): boolean {
  const last = body.findLastIndex(({ op }) => op === 'reduce')
  const before = body.slice(0, last + 1)
  if (last < 0 || !before.every(({ op }) => op === 'reduce' || op === 'assign')) return false
  const long = before.filter(
    (statement): statement is Reduce => statement.op === 'reduce' && turnsOf(statement) >= longReduction,
  )
  if (long.length === 0) return false
  return pointsOf(grid) <= manyPoints || long.every(alongMemory)
}
function alongMemory({ variables, accumulators }: Reduce): boolean {
  const fast = variables.findLast(({ extent }) => extent > 1)!
  let along = true
  const check = (x: Expr): void => {
    if (x.op === 'load' && Math.abs(linearIn(x.index, fast)?.coefficient ?? 2) > 1) along = false
  }
  for (const { value } of accumulators) walk(value, check)
  return along
}

const treeSize = 256
function printTree(nest: Nest, layout: Layout, subgroups: boolean): Printed {
  const shader = new Shader(nest, layout, new Set())
  const emitter = new Emitter(shader)
  const groups = pointsOf(nest.grid)
  emitter.line(`let point = i32(${groupNumber(groups)});`)
  if (groups > groupsPerRow) emitter.line(`if (point >= ${groups}i) { return; }`)
  emitter.declare(nest.body)
  bindCoordinates(emitter, nest.grid, 'point')
  emitter.interceptReduce = (statement) => {
    reduceTogether(emitter, statement, subgroups)
    return true
  }
  const last = nest.body.findLastIndex(({ op }) => op === 'reduce')
  emitter.statements(nest.body.slice(0, last + 1))
  emitter.interceptReduce = undefined
  emitter.block('if (lane == 0u) {', () => emitter.statements(nest.body.slice(last + 1)))
  return { source: shader.source(treeSize, emitter.lines), groups }
}
/**
 * A reduction by all invocations of a workgroup: each takes every 256th turn, then halves of what they have are combined again and again; first
 * within subgroups, if there are any, which need no memory for it.
 */
function reduceTogether(emitter: Emitter, statement: Reduce, subgroups: boolean): void {
  const { shader } = emitter
  const { variables, accumulators } = statement
  const turns = turnsOf(statement)
  const [open, add, close] = emitter.accumulation(accumulators, Math.ceil(turns / treeSize))
  const turn = shader.names.unique('turn')
  open()
  emitter.block(`for (var ${turn} = i32(lane); ${turn} < ${turns}i; ${turn} += ${treeSize}i) {`, () => {
    bindCoordinates(emitter, variables, turn)
    add()
  })
  close()
  const shared = accumulators.map(({ into }) => {
    const name = shader.names.unique('shared')
    shader.declarations.push(`var<workgroup> ${name}: array<${wgslType(into.type)}, ${treeSize}>;`)
    if (!subgroups) emitter.line(`${name}[lane] = ${emitter.localName(into)};`)
    return name
  })
  if (subgroups) {
    combineInSubgroups(emitter, accumulators)
    emitter.block(`if (lane % ${shader.subgroupSize} == 0u) {`, () =>
      accumulators.forEach(({ into }, at) =>
        emitter.line(`${shared[at]!}[lane / ${shader.subgroupSize}] = ${emitter.localName(into)};`),
      ),
    )
  }
  const parts = subgroups ? `${treeSize / 2}u / ${shader.subgroupSize}` : `${treeSize / 2}u`
  emitter.line('workgroupBarrier();')
  const half = shader.names.unique('half')
  emitter.block(`for (var ${half} = ${parts}; ${half} > 0u; ${half} >>= 1u) {`, () => {
    emitter.block(`if (lane < ${half}) {`, () => {
      accumulators.forEach(({ into, combine }, at) => {
        const name = shared[at]!
        emitter.line(
          `${name}[lane] = ${shader.combine(combine, into.type, `${name}[lane]`, `${name}[lane + ${half}]`)};`,
        )
      })
    })
    emitter.line('workgroupBarrier();')
  })
  accumulators.forEach(({ into }, at) => emitter.line(`${emitter.localName(into)} = ${shared[at]!}[0];`))
}
/** Combine what the invocations of a subgroup have, so that each has all of it. */
function combineInSubgroups(emitter: Emitter, accumulators: Reduce['accumulators']): void {
  const { shader } = emitter
  const step = shader.names.unique('step')
  emitter.block(`for (var ${step} = 1u; ${step} < ${shader.subgroupSize}; ${step} <<= 1u) {`, () => {
    for (const { into, combine } of accumulators) {
      const own = emitter.localName(into)
      // Truth values do not go from one invocation to another.
      const other =
        into.type === 'bool'
          ? `(subgroupShuffleXor(u32(${own}), ${step}) != 0u)`
          : `subgroupShuffleXor(${own}, ${step})`
      emitter.line(`${own} = ${shader.combine(combine, into.type, own, emitter.name('other', other))};`)
    }
  })
}
