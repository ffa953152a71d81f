/**
 * Rewrites programs so that kernels keep a GPU busy: a long reduction of few points, and a product of few tiles with many inner turns, are
 * computed in parts, whose results a second kernel combines. Products of next to vectors become reductions.
 */
import {
  Buffer,
  type Combine,
  type Expr,
  type Kernel,
  LoopVar,
  type Nest,
  type Place,
  type Product,
  type Program,
  Slot,
  type Step,
  type Stmt,
  and,
  buffersOf,
  flatIndex,
  i32,
  identity,
  indexAdd,
  indexMul,
  load,
  local,
  lt,
  mapSteps,
  min,
  mul,
  placeOf,
  pointsOf,
  select,
  store,
  substituting,
  variable,
} from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import { turnsOf } from '../print/nest.ts'
import { tilesOf } from '../print/tiled.ts'
import type { Traits } from '../print/traits.ts'

type Reduce = Extract<Stmt, { op: 'reduce' }>

/** With fewer workgroups than this a device is not busy. */
const fewGroups = 128
/** As many turns a part of a product has at least; of a reduction by a workgroup, and by one invocation. */
const partTurns = { product: 256, together: 4096, alone: 128 } as const
/** Products with no more rows or columns are reductions. */
const thin = 2

export const spread = (program: Program, traits: Traits): Program => ({
  ...program,
  steps: mapSteps(program.steps, (step) => spreadStep(step, traits)),
})

function spreadStep(step: Step, traits: Traits): readonly Step[] {
  if (step.op !== 'launch') return [step]
  const places = new Map(step.kernel.params.map((buffer, at) => [buffer, step.args[at]!] as const))
  const kernels = spreadKernel(step.kernel, places, traits)
  if (kernels.length === 1 && kernels[0] === step.kernel) return [step]
  return kernels.map((kernel): Step => ({
    op: 'launch',
    kernel,
    args: kernel.params.map((buffer) => places.get(buffer)!),
  }))
}
/** Kernels that together do what one does; `places` learns where their buffers are. */
export function spreadKernel(kernel: Kernel, places: Map<Buffer, Place>, traits: Traits): readonly Kernel[] {
  if (kernel.kind === 'nest') return spreadNest(kernel, places, traits)
  if (pointsOf(kernel.rows) <= thin || pointsOf(kernel.columns) <= thin)
    return spreadNest(asNest(kernel), places, traits)
  return spreadProduct(kernel, places)
}
function listed<K extends Nest | Product>(kernel: K): K {
  return { ...kernel, params: buffersOf(kernel) }
}
function temporary(places: Map<Buffer, Place>, dtype: DType, length: number): Buffer {
  const buffer = new Buffer('parts', dtype, length)
  places.set(buffer, placeOf(new Slot(dtype, length)))
  return buffer
}
const dtypes = { f32: 'float32', f64: 'float64', i32: 'int32', u32: 'uint32', bool: 'bool' } as const

/** A product as a reduction. */
function asNest({ name, params, batch, rows, columns, inner, left, right, sum, body }: Product): Nest {
  const truth = sum.type === 'bool'
  const value = truth ? and(left, right) : mul(left, right)
  const accumulators = [{ into: sum, combine: truth ? 'or' : 'add', value } as const]
  const reduce: Stmt = { op: 'reduce', variables: inner, accumulators }
  return { kind: 'nest', name, params, grid: [...batch, ...rows, ...columns], body: [reduce, ...body] }
}

/** A loop in parts: of equal length if one of about the wished length divides it. */
interface Parts {
  readonly part: LoopVar
  readonly turn: LoopVar
  /** What stands for the loop's variable, and whether it is one of its turns: the last part may have too many. */
  readonly place: Expr
  readonly inside: Expr | undefined
}
function partsOf(loop: LoopVar, wished: number): Parts {
  const length = loop.extent
  const about = Math.max(1, Math.ceil(length / wished))
  let each = about
  for (let size = about; size <= 2 * about; size++) {
    if (length % size === 0) {
      each = size
      break
    }
  }
  const part = new LoopVar('part', Math.ceil(length / each))
  const turn = new LoopVar(loop.name, each)
  const place = indexAdd(indexMul(variable(part), each), variable(turn))
  if (length % each === 0) return { part, turn, place, inside: undefined }
  return { part, turn, place: min(place, i32(length - 1)), inside: lt(place, i32(length)) }
}
/** The loop with the most turns, if there is any. */
const longest = (variables: readonly LoopVar[]): LoopVar | undefined =>
  variables.toSorted((a, b) => b.extent - a.extent)[0]

function spreadNest(nest: Nest, places: Map<Buffer, Place>, { shared }: Traits): readonly Nest[] {
  const at = nest.body.findIndex(({ op }) => op === 'reduce')
  const before = nest.body.slice(0, Math.max(0, at))
  const rest = nest.body.slice(at + 1)
  const alone = at >= 0 && before.every(({ op }) => op === 'assign') && rest.every(({ op }) => op !== 'reduce')
  if (!alone) return [nest]
  const reduce = nest.body[at] as Reduce
  const [points, turns] = [pointsOf(nest.grid), turnsOf(reduce)]
  const loop = longest(reduce.variables)
  const least = shared ? partTurns.together : partTurns.alone
  const most = shared ? 2 * fewGroups : 1024
  const count = Math.min(Math.floor(turns / least), Math.floor(most / points), loop?.extent ?? 1)
  if (loop === undefined || count < 2) return [nest]

  const { part, turn, place, inside } = partsOf(loop, count)
  const inPart = substituting(new Map([[loop, place]]))
  const index = flatIndex(
    [...nest.grid, part].map(variable),
    [...nest.grid, part].map(({ extent }) => extent),
  )
  const stores: Stmt[] = []
  const accumulators = reduce.accumulators.map(({ into, combine, value }) => {
    const parts = temporary(places, dtypes[into.type], points * part.extent)
    stores.push(store(parts, index, local(into)))
    const other = identity(combine, into.type, dtypes[into.type])
    const first = { into, combine, value: inside === undefined ? inPart(value) : select(inside, inPart(value), other) }
    return { first, second: { into, combine, value: load(parts, index) } }
  })
  const variables = reduce.variables.map((v) => (v === loop ? turn : v))
  return [
    listed({
      ...nest,
      name: `${nest.name}_parts`,
      grid: [...nest.grid, part],
      body: [...before, { op: 'reduce', variables, accumulators: accumulators.map(({ first }) => first) }, ...stores],
    }),
    listed({
      ...nest,
      body: [
        ...before,
        { op: 'reduce', variables: [part], accumulators: accumulators.map(({ second }) => second) },
        ...rest,
      ],
    }),
  ]
}

function spreadProduct(kernel: Product, places: Map<Buffer, Place>): readonly Kernel[] {
  const { batch, rows, columns, inner, sum } = kernel
  const { groups } = tilesOf(kernel)
  const turns = pointsOf(inner)
  const loop = longest(inner)
  const count = Math.min(Math.floor(turns / partTurns.product), Math.floor(fewGroups / groups), loop?.extent ?? 1)
  if (loop === undefined || count < 2) return [kernel]

  const { part, turn, place, inside } = partsOf(loop, count)
  const inPart = substituting(new Map([[loop, place]]))
  const points = [...batch, ...rows, ...columns]
  const size = pointsOf(points)
  const parts = temporary(places, dtypes[sum.type], size * part.extent)
  const index = flatIndex(
    [part, ...points].map(variable),
    [part, ...points].map(({ extent }) => extent),
  )
  const left = inPart(kernel.left)
  const zero = identity('add', sum.type, dtypes[sum.type])
  const combine: Combine = sum.type === 'bool' ? 'or' : 'add'
  return [
    listed({
      ...kernel,
      name: `${kernel.name}_parts`,
      batch: [part, ...batch],
      inner: inner.map((v) => (v === loop ? turn : v)),
      left: inside === undefined ? left : select(inside, left, zero),
      right: inPart(kernel.right),
      body: [store(parts, index, local(sum))],
    }),
    listed({
      kind: 'nest',
      name: kernel.name,
      params: [],
      grid: points,
      body: [
        { op: 'reduce', variables: [part], accumulators: [{ into: sum, combine, value: load(parts, index) }] },
        ...kernel.body,
      ],
    }),
  ]
}
