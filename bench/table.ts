/** The bench's table: a line for each entry as soon as it is known, and below what the cells do not say. */
import type { Measured, Missing } from './child.ts'

export interface Own extends Measured {
  readonly name: string
  readonly backend: string
  readonly trace_ms?: number
  /** The first run, compiling apart, as a multiple of the next. */
  readonly first_to_next: number
  readonly gflops?: number
  readonly gbytes?: number
  readonly cost?: string
  readonly about: string
}
export interface Result extends Own {
  readonly peers?: Readonly<Record<string, Measured | Missing>>
}
const ms = (value: number | undefined): string => (value === undefined ? '–' : `${Number(value.toPrecision(3))} ms`)
const count = (cost: string | undefined, what: RegExp): number | undefined => {
  const found = what.exec(cost ?? '')?.[1]
  return found === undefined ? undefined : Number(found.replaceAll(',', ''))
}
interface Column {
  readonly title: string
  readonly width: number
  readonly of: (result: Result) => string
}

export class Table {
  readonly #peers: readonly string[]
  readonly #cost: boolean
  readonly #columns: readonly Column[]
  readonly #reasons = new Map<string, string[]>()
  readonly #unrolls = new Map<number, string[]>()
  constructor(peers: readonly string[], cost: boolean) {
    this.#peers = peers
    this.#cost = cost
    this.#columns = [...(peers.length === 0 ? ownColumns : comparedColumns(peers)), ...(cost ? costColumns : [])]
  }
  #line(cells: readonly string[]): void {
    const padded = cells.map((cell, i) => {
      const { width } = this.#columns[i]!
      return i === 0 ? cell.padEnd(width) : cell.padStart(width)
    })
    console.log(padded.join(' '))
  }
  head(): void {
    this.#line(this.#columns.map(({ title }) => title))
  }
  add(result: Result): void {
    this.#line(this.#columns.map(({ of }) => of(result)))
    if (this.#cost && result.cost !== undefined) console.log(result.cost.replace(/^/gm, '    '))
    for (const [peer, found] of Object.entries(result.peers ?? {})) {
      if ('missing' in found) note(this.#reasons, `${peer}: ${found.missing}`, result.name)
      else if (found.unroll !== undefined) note(this.#unrolls, found.unroll, result.name)
    }
  }
  foot(): void {
    if (this.#peers.length === 0) return
    console.log('\nBehind a time stands how many times as long it is. A dash:')
    for (const [reason, names] of this.#reasons) console.log(`  ${reason} (${some(names)})`)
    for (const [unroll, names] of this.#unrolls)
      console.log(`jax.jit was fastest with --unroll ${unroll}: ${some(names)}`)
  }
}
/** The first few of many names. */
const some = (names: readonly string[]): string =>
  names.length <= 6 ? names.join(', ') : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`
function note<K>(notes: Map<K, string[]>, key: K, name: string): void {
  const names = notes.get(key)
  if (names === undefined) notes.set(key, [name])
  else names.push(name)
}

const name: Column = { title: 'entry', width: 28, of: (result) => result.name }
const rate = ({ gflops, gbytes }: Result): string =>
  gflops === undefined ? (gbytes === undefined ? '' : `${gbytes} GB/s`) : `${gflops} Gflop/s`
const ownColumns: readonly Column[] = [
  name,
  { title: 'backend', width: 9, of: (result) => result.backend },
  { title: 'trace', width: 9, of: (result) => ms(result.trace_ms) },
  { title: 'compile', width: 9, of: (result) => ms(result.compile_ms) },
  { title: 'first', width: 9, of: (result) => ms(result.first_ms) },
  { title: 'to next', width: 8, of: (result) => result.first_to_next.toFixed(2) },
  { title: 'median', width: 10, of: (result) => ms(result.median_ms) },
  { title: 'min', width: 10, of: (result) => ms(result.min_ms) },
  { title: 'rate', width: 14, of: rate },
  { title: 'runs', width: 7, of: (result) => String(result.runs) },
]
const comparedColumns = (peers: readonly string[]): readonly Column[] => [
  name,
  { title: 'compile', width: 9, of: ({ trace_ms = 0, compile_ms = 0 }) => ms(trace_ms + compile_ms) },
  { title: 'fluxion', width: 10, of: (result) => ms(result.median_ms) },
  ...peers.flatMap((peer): Column[] => [
    {
      title: peer,
      width: 20,
      of: ({ median_ms: own, peers }) => {
        const found = peers?.[peer]
        if (found === undefined || 'missing' in found) return '-'
        return `${ms(found.median_ms)} ${`(${Number((found.median_ms / own).toPrecision(3))})`.padStart(8)}`
      },
    },
    ...(peer === 'jax.jit' ? [jaxCompile] : []),
  ]),
]
const jaxCompile: Column = {
  title: 'compile',
  width: 10,
  of: ({ peers }) => {
    const found = peers?.['jax.jit']
    return found === undefined || 'missing' in found ? '-' : ms(found.compile_ms)
  },
}
const costColumns: readonly Column[] = [
  { title: 'kernels', width: 9, of: ({ cost }) => String(count(cost, /([\d,]+) kernels? launched/) ?? '–') },
  {
    title: 'moved',
    width: 11,
    of: ({ cost }) => {
      const [read, written] = [count(cost, /([\d,]+) bytes read/), count(cost, /([\d,]+) bytes written/)]
      return read === undefined || written === undefined ? '–' : `${((read + written) / 1e6).toPrecision(4)} MB`
    },
  },
]
