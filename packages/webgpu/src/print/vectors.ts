/** Elementwise nests by vectors: an invocation takes four neighbours, and loads and stores them at once where they lie side by side. */
import { type Expr, type LoopVar, type Nest, type Stmt, walkExpressions } from '@fluxion/compiler'
import { perWord, usesOf } from './access.ts'
import type { Emitter } from './emitter.ts'
import { wgslType } from './literals.ts'
import type { Shader } from './shader.ts'
import { beginsWords } from './words.ts'

type Store = Extract<Stmt, { op: 'store' }>
type Load = Extract<Expr, { op: 'load' }>

/** So many neighbours are taken by one invocation. */
export const vectorSize = 4

/** Whether a nest can be printed so: it assigns and stores, and all that it stores lies side by side. From then on its shader has vectors. */
export function takesVectors(nest: Nest, shader: Shader): boolean {
  const fast = nest.grid.at(-1)
  const { loaded, updated } = usesOf(nest)
  if (fast === undefined || fast.extent % vectorSize !== 0 || updated.size > 0) return false
  const stores = nest.body.filter((statement): statement is Store => statement.op === 'store')
  const buffers = new Set(stores.map(({ buffer }) => buffer))
  if (stores.length === 0 || buffers.size < stores.length) return false
  if (nest.body.some(({ op }) => op !== 'store' && op !== 'assign')) return false
  const can = ({ buffer, index }: Store): boolean =>
    perWord(buffer.dtype) === 1 &&
    !loaded.has(buffer) &&
    beginsWords(index, fast, vectorSize) &&
    shader.canHaveVectors(buffer)
  if (!stores.every(can)) return false
  for (const buffer of buffers) shader.useVectors(buffer)
  for (const { buffer } of vectorLoads(nest, fast, shader)) shader.useVectors(buffer)
  return true
}
function vectorLoads(nest: Nest, fast: LoopVar, shader: Shader): Load[] {
  const { stored } = usesOf(nest)
  const found: Load[] = []
  walkExpressions(nest.body, (x) => {
    if (x.op !== 'load' || perWord(x.buffer.dtype) > 1 || stored.has(x.buffer)) return
    if (beginsWords(x.index, fast, vectorSize) && shader.canHaveVectors(x.buffer)) found.push(x)
  })
  return found
}

/** Print a nest's body for four turns of its fastest loop, from `first` on; all other loops are bound. */
export function printVectors(emitter: Emitter, nest: Nest, fast: LoopVar, first: string): void {
  const { shader } = emitter
  emitter.bind(fast, first)
  const loads = new Map<Expr, string>()
  for (const x of vectorLoads(nest, fast, shader)) {
    const [index] = emitter.texts(x.index)
    loads.set(x, emitter.name('four', shader.vectorAt(x.buffer, index!)))
  }
  const values = new Map<Store, string[]>()
  for (const [at, lane] of ['x', 'y', 'z', 'w'].entries()) {
    emitter.bind(fast, emitter.name(fast.name, `${first} + ${at}i`))
    emitter.interceptLoad = (x) => (loads.has(x) ? `${loads.get(x)!}.${lane}` : undefined)
    emitter.interceptStore = (store) => {
      const value = emitter.name('value', emitter.texts(store.value)[0]!)
      values.set(store, [...(values.get(store) ?? []), value])
      return true
    }
    emitter.statements(nest.body)
  }
  emitter.interceptLoad = undefined
  emitter.interceptStore = undefined
  emitter.bind(fast, first)
  for (const [store, four] of values) {
    const [index] = emitter.texts(store.index)
    emitter.line(`${shader.vectorAt(store.buffer, index!)} = vec4<${wgslType(store.value.type)}>(${four.join(', ')});`)
  }
}
