// Runs the sweep over every primitive: in a fair sample or in full.
import { type AnyPrimitive, type DType, MissingRuleError, primitives, setDevice } from 'fluxion'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkAxes } from './axes.ts'
import { type Case, type Table, floats } from './cases.ts'
import {
  checkBatching,
  checkDerivatives,
  checkJit,
  checkMissingTranspose,
  checkNestedBatching,
  checkTangents,
  checkTranspose,
  checkTypes,
} from './check.ts'
import { control } from './control.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { movement } from './movement.ts'
import { products } from './products.ts'
import { reductions } from './reductions.ts'

export const table: Table = { ...elementwise, ...movement, ...indexing, ...reductions, ...products, ...control }
const counted = ['type', 'jvp', 'transpose', 'batch', 'axes', 'linearize', 'stage', 'direct', 'reference'] as const
type Counted = (typeof counted)[number]

export const dtypesOf = (one: Case): readonly DType[] => one.dtypes ?? floats
export const showCase = (one: Case): string => {
  const shapes = one.operands.map(({ shape, dtype }) => `${dtype ?? ''}[${shape.join(',')}]`).join(' ')
  return `${shapes} ${one.params === undefined ? '' : JSON.stringify(one.params)}`
}
/** Run a check on cases; a failure says on which. */
function each(
  cases: readonly Case[],
  check: (one: Case, dtype: DType) => void,
  dtypes: (one: Case) => readonly DType[],
): void {
  for (const [index, one] of cases.entries()) {
    for (const dtype of dtypes(one)) {
      try {
        check(one, dtype)
      } catch (error) {
        if (error instanceof Error) error.message = `case ${index}, ${dtype}: ${showCase(one)}\n${error.message}`
        throw error
      }
    }
  }
}

/** Count the calls of a row's rules while its tests run: a rule that none of them calls has not been checked. */
function countCalls(row: AnyPrimitive): { calls: Map<Counted, number>; restore: () => void } {
  const rules = row as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>
  const calls = new Map<Counted, number>()
  const originals = counted.flatMap((name) => (rules[name] === undefined ? [] : [[name, rules[name]] as const]))
  for (const [name, rule] of originals) {
    rules[name] = (...args) => {
      calls.set(name, (calls.get(name) ?? 0) + 1)
      return rule.apply(row, args)
    }
  }
  return {
    calls,
    restore() {
      for (const [name, rule] of originals) rules[name] = rule
    },
  }
}

/** A check on those cases of a row that it is for. */
interface Check {
  readonly title: string
  readonly on: readonly Case[]
  readonly check: (one: Case, dtype: DType) => void
  readonly dtypes: (one: Case) => readonly DType[]
}
function checksOf(row: AnyPrimitive, cases: readonly Case[], all: boolean): Check[] {
  const some = (one: Case): readonly DType[] => (all ? dtypesOf(one) : dtypesOf(one).slice(0, 1))
  const someAndWide = (one: Case): DType[] =>
    dtypesOf(one).filter((dtype) => dtype === 'float64' || some(one).includes(dtype))
  const mappable = cases.filter(({ operands }) => operands.length > 0)
  const smooth = cases.filter(
    (one) =>
      one.order !== 0 && one.operands.some(({ dtype }) => dtype === undefined) && dtypesOf(one).includes('float64'),
  )
  const pushed = cases.filter(
    ({ order, flat, modes = ['fwd'] }) => (order !== 0 || flat === true) && modes.includes('fwd'),
  )
  const refusing = cases.filter(
    (one) =>
      one.params !== undefined &&
      one.operands.some(({ dtype }, i) => dtype === undefined && (one.by ?? [i]).includes(i)) &&
      dtypesOf(one).includes('float32'),
  )
  const on = (
    title: string,
    list: readonly Case[],
    check: (row: AnyPrimitive, one: Case, dtype: DType) => void,
    dtypes: Check['dtypes'],
  ): Check => ({ title, on: list, check: (one, dtype) => check(row, one, dtype), dtypes })
  return [
    on('gives results of the types that the type rule says, eagerly and staged', cases, checkTypes, dtypesOf),
    on('gives the same bits under jit', cases, checkJit, some),
    on('gives under vmap what a loop gives', mappable, (_, one, dtype) => checkBatching(row, one, dtype, all), some),
    on('gives under two vmaps what two loops give', all ? mappable : mappable.slice(0, 2), checkNestedBatching, some),
    on('has the derivatives that central differences show', smooth, checkDerivatives, () => ['float64']),
    on('has tangents of the types of its results, also linearised', pushed, checkTangents, some),
    on(
      'has a transpose that is the adjoint',
      cases.filter(({ linear }) => linear !== undefined),
      checkTranspose,
      someAndWide,
    ),
    on(
      'refuses to be transposed, naming itself and the rule',
      row.transpose === undefined ? refusing.slice(0, 1) : [],
      checkMissingTranspose,
      () => ['float32'],
    ),
  ].filter(({ on: list }) => list.length > 0)
}

/** Every dtype, every place of a batch axis: `all`; else a few of them. */
export function sweep(all: boolean): void {
  // Rules do not depend on the device; that every row's reference is called shows on the one that calls it.
  beforeAll(() => setDevice('reference'))
  afterAll(() => setDevice('wasm'))
  test('every row of the table of cases is a primitive', () => {
    expect(Object.keys(table).filter((name) => !primitives.has(name))).toEqual([])
  })
  describe.each([...primitives.keys()])('%s', (name) => {
    const row = primitives.get(name)!
    const { cases, unused = {}, missing = {} } = table[name] ?? { cases: [] }
    let counting: ReturnType<typeof countCalls>
    beforeAll(() => {
      counting = countCalls(row)
    })
    afterAll(() => counting.restore())

    test('has cases', () => expect(cases.length).toBeGreaterThan(0))
    test.each(checksOf(row, cases, all))('$title', ({ on, check, dtypes }) => each(on, check, dtypes))
    test('gives by parts, along every factor of its axis rule, what it gives whole', () => {
      let cuts = 0
      const dtypes = (one: Case): readonly DType[] => (all ? dtypesOf(one) : dtypesOf(one).slice(0, 1))
      each(cases, (one, dtype) => void (cuts += checkAxes(row, one, dtype)), dtypes)
      // a rule whose factors no case has anything to cut along would not have been checked
      if (unused['axes'] === undefined) expect(cuts).toBeGreaterThan(0)
    })
    test.each(Object.entries(missing))('refuses what it has no rule for: %s', (message, run) => {
      expect(run).toThrow(MissingRuleError)
      expect(run).toThrow(message)
    })
    test('has no rule that went unchecked', () => {
      const rules = counted.filter(
        (rule) => (row as unknown as Record<string, unknown>)[rule] !== undefined && unused[rule] === undefined,
      )
      expect(rules.filter((rule) => !counting.calls.has(rule))).toEqual([])
    })
  })
}
