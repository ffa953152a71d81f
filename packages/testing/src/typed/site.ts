/** Where an operation of a random program stands: the values that there are, the choices it makes, the programs it holds. */
import { type DType, type NDArray, isFloat, np } from '@fluxion/core'
import type { GradMode } from '../checkGrads.ts'
import { type Type, as, convertible, joined, kept, sameShape, sizeOf, summary, typeOf } from './fitting.ts'

/** An operation by number, the choices it makes, and the programs it holds. */
export interface Step {
  readonly rule: number
  readonly choices: readonly number[]
  readonly inner: readonly (readonly Step[])[]
}
/** What all operations of a program keep to. */
export interface Settings {
  /** Results are exact in any order of sums; otherwise no operation jumps where floats come near each other. */
  readonly exact: boolean
  /** The dtypes that values may have: of approximate programs one float at most. */
  readonly dtypes: readonly DType[]
  /** Sizes that shapes are made of. */
  readonly sizes: readonly number[]
  /** No value has more elements. */
  readonly limit: number
}
/** What an operation is to random programs. Without a result there is nothing here for it to apply to. */
export interface Rule {
  readonly name: string
  /** The programs it may stand in: exact ones, approximate ones, or both. */
  readonly kind: 'exact' | 'approximate' | 'any'
  /** The modes in which it can be differentiated. */
  readonly modes: readonly GradMode[]
  /** It runs programs of its own. */
  readonly holds: boolean
  readonly apply: (site: Site) => NDArray | readonly NDArray[] | undefined
}
export const rule = (name: string, options: Partial<Rule>, apply: Rule['apply']): Rule => ({
  name,
  kind: 'any',
  modes: ['fwd', 'rev'],
  holds: false,
  ...options,
  apply,
})

/** The lines of a program's text: what each step did, and what its values are called. */
export class Notes {
  readonly lines: string[] = []
  readonly #names = new Map<NDArray, string>()
  readonly #seen = new Set<readonly Step[]>()
  #count = 0
  name(x: NDArray): string {
    let known = this.#names.get(x)
    if (known === undefined) this.#names.set(x, (known = `v${this.#count++}`))
    return known
  }
  /** Whether a program is run for the first time: loops and derivatives run theirs more than once. */
  first(steps: readonly Step[]): boolean {
    return !this.#seen.has(steps) && this.#seen.add(steps) !== undefined
  }
}
const showType = ({ shape, dtype }: Type): string => `${dtype}[${shape.join()}]`

/** The values of a program while it runs. */
export class Scope {
  readonly values: NDArray[]
  readonly settings: Settings
  readonly rules: readonly Rule[]
  readonly modes: readonly GradMode[]
  readonly indent: string
  readonly notes: Notes | undefined
  constructor(
    values: readonly NDArray[],
    settings: Settings,
    rules: readonly Rule[],
    modes: readonly GradMode[],
    indent = '',
    notes?: Notes,
  ) {
    this.values = [...values]
    this.settings = settings
    this.rules = rules
    this.modes = modes
    this.indent = indent
    this.notes = notes
  }
  run(steps: readonly Step[]): void {
    const notes = this.notes?.first(steps) === true ? this.notes : undefined
    for (const step of steps) {
      const possible = this.rules.filter(
        ({ kind, modes, holds }) =>
          kind !== (this.settings.exact ? 'approximate' : 'exact') &&
          this.modes.every((mode) => modes.includes(mode)) &&
          (!holds || step.inner.some((list) => list.length > 0)),
      )
      const chosen = possible[step.rule % possible.length]!
      const site = new Site(this, step, notes)
      const line = notes?.lines.length ?? 0
      const found = chosen.apply(site)
      const results = (found === undefined ? [] : [found].flat()).filter(({ size }) => size <= this.settings.limit)
      if (results.length === 0) {
        if (notes !== undefined) notes.lines.length = line
        continue
      }
      // Not all that is compared becomes a condition.
      for (const x of results) x.used = true
      this.values.push(...results)
      const left = results.map((x) => `${notes?.name(x)}: ${showType(x)}`).join(', ')
      notes?.lines.splice(line, 0, `${this.indent}${left} = ${chosen.name}(${site.shown.join(', ')})`)
    }
  }
  /** The `k`-th last value of a shape, as a dtype; the first result depends on the last value in any case. */
  result({ shape, dtype }: Type, k: number): NDArray {
    const { exact } = this.settings
    const fitting = this.values.filter((x) => sameShape(x.shape, shape) && convertible(x.dtype, dtype, exact))
    const chosen = fitting.at(-1 - (k % Math.max(1, fitting.length)))
    const found = chosen === undefined ? np.zeros([...shape], { dtype }) : as(chosen, dtype, exact)
    const last = this.values.at(-1)
    if (k > 0 || last === undefined || last === chosen || !convertible(last.dtype, dtype, exact)) return found
    const rest = as(summary(last, exact), dtype, exact)
    return joined(found, np.broadcastTo(rest, [...shape]), exact)
  }
}

export type Accepts = (x: NDArray) => boolean
export class Site {
  readonly #scope: Scope
  readonly #step: Step
  readonly #notes: Notes | undefined
  #drawn = 0
  /** Operands and parameters, for the program's text. */
  readonly shown: string[] = []
  readonly settings: Settings
  readonly exact: boolean
  constructor(scope: Scope, step: Step, notes: Notes | undefined) {
    this.#scope = scope
    this.#step = step
    this.#notes = notes
    this.settings = scope.settings
    this.exact = scope.settings.exact
  }

  /** A number below `count`: 0 is the simplest. */
  below(count: number): number {
    const { choices } = this.#step
    const at = this.#drawn++
    const turn = Math.floor(at / choices.length)
    return ((choices[at % choices.length]! >>> (turn * 3)) + (turn > 0 ? turn : 0)) % count
  }
  among<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
  chance(): boolean {
    return this.below(2) === 1
  }
  /** Those of a list that chance takes. */
  some<T>(list: readonly T[]): T[] {
    return list.filter(() => this.chance())
  }
  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list]
    return list.map(() => rest.splice(this.below(rest.length), 1)[0]!)
  }
  note(text: unknown): void {
    if (this.#notes !== undefined) this.shown.push(typeof text === 'string' ? text : JSON.stringify(text))
  }

  /** One of the values that are accepted, the latest being the simplest choice. */
  pick(accepts: Accepts = () => true): NDArray | undefined {
    const found = this.#scope.values.filter(accepts)
    if (found.length === 0) return undefined
    const chosen = found[found.length - 1 - this.below(found.length)]!
    if (this.#notes !== undefined) this.shown.push(this.#notes.name(chosen))
    return chosen
  }
  /** Another value of the type, or the same. */
  like(x: NDArray): NDArray {
    return this.pick((y) => y.dtype === x.dtype && sameShape(x.shape, y.shape))!
  }
  float(accepts: Accepts = () => true): NDArray | undefined {
    return this.pick((x) => isFloat(x.dtype) && accepts(x))
  }
  /** An int32 scalar between the bounds, known at run time only: from an element of a value of integers, if there is one. */
  index(low: number, high: number): NDArray {
    const from = this.pick((x) => !isFloat(x.dtype) && x.size > 0)
    const free = low + this.below(Math.max(1, high - low + 1))
    if (from === undefined) return np.array(free, { dtype: 'int32' })
    const element = from.reshape([-1]).get(this.below(from.size)).astype('int32')
    return np.clip(element.add(free), low, high)
  }
  /** A condition known at run time only. */
  condition(): NDArray {
    const from = this.pick((x) => (this.exact || !isFloat(x.dtype)) && x.size > 0)
    if (from === undefined) return np.array(this.chance())
    const element = from.reshape([-1]).get(this.below(from.size))
    const condition = from.dtype === 'bool' ? element : element.gt(this.below(2))
    condition.used = true
    return condition
  }
  /** A float result kept small. */
  kept(x: NDArray): NDArray {
    return kept(x, this.exact)
  }
  fits(shape: readonly number[]): boolean {
    return shape.length <= 5 && sizeOf(shape) <= this.settings.limit
  }

  /**
   * The program number `which` that the step holds, as a function that gives values of the wanted types. It sees some values of this one,
   * unless it is `closed`: rules of custom derivatives may not hold on to values that are being differentiated.
   */
  body(
    which: number,
    wanted: readonly Type[],
    { needed = [], closed = false }: { needed?: readonly GradMode[]; closed?: boolean } = {},
  ): (...args: NDArray[]) => NDArray[] {
    const { inner } = this.#step
    const steps = inner[which % Math.max(1, inner.length)] ?? []
    const captured = closed ? [] : this.some(this.#scope.values.slice(-2))
    const { settings, rules, modes, indent } = this.#scope
    const all = [...new Set([...modes, ...needed])]
    return (...args) => {
      const notes = this.#notes
      const first = notes !== undefined && steps.length > 0
      const scope = new Scope([...captured, ...args], settings, rules, all, `${indent}  `, first ? notes : undefined)
      if (first)
        notes.lines.push(`${indent}  (${args.map((x) => `${notes.name(x)}: ${showType(typeOf(x))}`).join(', ')}) =>`)
      scope.run(steps)
      const results = wanted.map((type, k) => scope.result(type, k))
      if (first) notes.lines.push(`${indent}  => ${wanted.map(showType).join(', ')}`)
      return results
    }
  }
}
