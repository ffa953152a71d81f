/**
 * Stores of dtypes that share 32-bit words: where neighbours in a word are neighbours in the fastest loop, one invocation computes them all
 * and stores the word at once.
 */
import {
  type Buffer,
  type Expr,
  type Kernel,
  type LoopVar,
  type Stmt,
  isConst,
  linearIn,
  termsOf,
  walk,
  walkStatements,
} from '@fluxion/compiler'
import { type Layout, perWord, usesOf } from './access.ts'
import type { Emitter } from './emitter.ts'
import { unrounded } from './emitter.ts'

export interface WordPlan {
  /** How many turns of the fastest loop one invocation takes: 1 if no word is stored at once. */
  readonly lanes: number
  readonly buffers: ReadonlySet<Buffer>
}

/**
 * @param fast the loop whose neighbouring turns are taken by one invocation
 * @param alone whether all other loops have one turn, so that no two invocations come near the same word
 */
export function planWords(kernel: Kernel, layout: Layout, fast: LoopVar | undefined, alone: boolean): WordPlan {
  const { stored, updated } = usesOf(kernel)
  const packed = [...stored].filter(({ dtype }) => perWord(dtype) > 1)
  const lanes = Math.max(1, ...packed.map(({ dtype }) => perWord(dtype)))
  if (fast === undefined || lanes === 1) return { lanes: 1, buffers: new Set() }
  const whole = fast.extent % lanes === 0 || alone
  const buffers = packed.filter((buffer) => {
    const stores = storesTo(buffer, kernel.body)
    return (
      whole &&
      layout.aligned[kernel.params.indexOf(buffer)] === true &&
      !updated.has(buffer) &&
      stores.length === 1 &&
      kernel.body.includes(stores[0]!) &&
      beginsWords(stores[0]!.index, fast, perWord(buffer.dtype))
    )
  })
  return {
    lanes: buffers.length === 0 ? 1 : Math.max(...buffers.map(({ dtype }) => perWord(dtype))),
    buffers: new Set(buffers),
  }
}
type Store = Extract<Stmt, { op: 'store' }>
function storesTo(buffer: Buffer, body: readonly Stmt[]): Store[] {
  const found: Store[] = []
  walkStatements(
    body,
    (statement) => void (statement.op === 'store' && statement.buffer === buffer && found.push(statement)),
  )
  return found
}
/** Whether an index is the fastest variable and multiples of what a word holds. */
export function beginsWords(index: Expr, fast: LoopVar, size: number): boolean {
  const linear = linearIn(index, fast)
  if (linear === undefined || linear.coefficient !== 1) return false
  const { rest } = linear
  let fixed = true
  walk(rest, (x) => void ((x.op === 'local' || x.op === 'load') && (fixed = false)))
  if (!fixed) return false
  if (isConst(rest)) return rest.value % size === 0
  const terms = termsOf(rest)
  const constant = linearConstant(rest)
  return terms.length > 0 && constant % size === 0 && terms.every(({ coefficient }) => coefficient % size === 0)
}
/** The number that a linear index ends with. */
function linearConstant(x: Expr): number {
  if (x.op !== 'binary' || !isConst(x.y)) return 0
  return x.fn === 'add' ? x.y.value : x.fn === 'sub' ? -x.y.value : 0
}

/**
 * Print a body that one invocation runs for the turns `first` … `first + lanes − 1` of the fastest loop, those below its extent.
 *
 * @param each prints what one turn does before the body, given the names of the lane's number and of the turn
 */
export function printLanes(
  emitter: Emitter,
  kernel: Kernel,
  { lanes, buffers }: WordPlan,
  fast: LoopVar,
  first: string,
  each: (lane: string, turn: string) => void = () => {},
): void {
  const { shader } = emitter
  const [lane, masks] = [shader.names.unique('turn'), fast.extent % lanes !== 0]
  const words = new Map([...buffers].map((buffer) => [buffer, shader.names.unique('word')] as const))
  const complete = shader.names.unique('mask')
  for (const [{ dtype }, name] of words) {
    // Said, not left to the declaration: not all compilers make it 0 again in a loop.
    const zeros = `array<u32, ${lanes / perWord(dtype)}>()`
    emitter.line(`var ${name} = ${zeros};`)
    if (masks) emitter.line(`var ${name}_${complete} = ${zeros};`)
  }
  emitter.interceptStore = (statement) => {
    const name = words.get(statement.buffer)
    if (name === undefined) return false
    const { dtype } = statement.buffer
    const [value] = emitter.texts(unrounded(statement))
    const size = perWord(dtype)
    const at = lanes === size ? '0' : `(${lane} >> 1u)`
    const shift = size === 4 ? `(${lane} * 8u)` : `((${lane} & 1u) * 16u)`
    emitter.line(`${name}[${at}] |= ${shader.toBits(dtype, value!)} << ${shift};`)
    if (masks) emitter.line(`${name}_${complete}[${at}] |= ${size === 4 ? '0xffu' : '0xffffu'} << ${shift};`)
    return true
  }
  emitter.block(`for (var ${lane} = 0u; ${lane} < ${lanes}u; ${lane}++) {`, () => {
    const turn = emitter.name(fast.name, `${first} + i32(${lane})`)
    emitter.bind(fast, turn)
    if (masks) emitter.line(`if (${turn} >= ${fast.extent}i) { break; }`)
    each(lane, turn)
    emitter.statements(kernel.body)
  })
  emitter.interceptStore = undefined
  emitter.bind(fast, first)
  for (const statement of kernel.body) {
    const name = statement.op === 'store' ? words.get(statement.buffer) : undefined
    if (statement.op !== 'store' || name === undefined) continue
    const [index] = emitter.texts(statement.index)
    const size = perWord(statement.buffer.dtype)
    for (let at = 0; at < lanes / size; at++) {
      const place = at === 0 ? index! : `(${index!} + ${at * size})`
      emitter.line(
        shader.storeWord(statement.buffer, place, `${name}[${at}]`, masks ? `${name}_${complete}[${at}]` : undefined),
      )
    }
  }
}
