// Runs the sweep over every primitive: in a fair sample or in full.
import { type AnyPrimitive, type DType, MissingRuleError, primitives } from 'fluxion'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

const table: Table = { ...elementwise, ...movement, ...indexing, ...reductions, ...products, ...control }
const counted = ['type', 'jvp', 'transpose', 'batch', 'linearize', 'stage', 'direct', 'reference'] as const
type Counted = (typeof counted)[number]

const dtypesOf = (one: Case): readonly DType[] => one.dtypes ?? floats
const showCase = (one: Case): string => {
  const shapes = one.operands.map(({ shape, dtype }) => `${dtype ?? ''}[${shape.join(',')}]`).join(' ')
  return `${shapes} ${one.params === undefined ? '' : JSON.stringify(one.params)}`
}
/** Run a check on cases; a failure says on which. */
function each(
  cases: readonly Case[],
  check: (one: Case, dtype: DType, index: number) => void,
  dtypes: (one: Case) => readonly DType[],
): void {
  for (const [index, one] of cases.entries()) {
    for (const dtype of dtypes(one)) {
      try {
        check(one, dtype, index)
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

/** Every dtype, every place of a batch axis: `all`; else a few of them. */
export function sweep(all: boolean): void {
  test('every row of the table of cases is a primitive', () => {
    expect(Object.keys(table).filter((name) => !primitives.has(name))).toEqual([])
  })
  describe.each([...primitives.keys()])('%s', (name) => {
    const row = primitives.get(name)!
    const entry = table[name]
    test('has cases', () => {
      expect(entry?.cases.length ?? 0).toBeGreaterThan(0)
    })
    if (entry === undefined) return
    const { cases, unused = {}, missing = {} } = entry
    const some = (one: Case): readonly DType[] => (all ? dtypesOf(one) : dtypesOf(one).slice(0, 1))
    let counting: ReturnType<typeof countCalls>
    beforeAll(() => {
      counting = countCalls(row)
    })
    afterAll(() => counting.restore())

    test('gives results of the types that the type rule says, eagerly and staged', () =>
      each(cases, (one, dtype) => checkTypes(row, one, dtype), dtypesOf))
    test('gives the same bits under jit', () => each(cases, (one, dtype) => checkJit(row, one, dtype), some))
    const mappable = cases.filter((one) => one.operands.length > 0)
    if (mappable.length > 0) {
      test('gives under vmap what a loop gives', () =>
        each(mappable, (one, dtype) => checkBatching(row, one, dtype, all), some))
      test('gives under two vmaps what two loops give', () =>
        each(all ? mappable : mappable.slice(0, 2), (one, dtype) => checkNestedBatching(row, one, dtype), some))
    }
    const smooth = cases.filter(
      (one) =>
        one.order !== 0 &&
        one.operands.some((operand) => operand.dtype === undefined) &&
        dtypesOf(one).includes('float64'),
    )
    if (smooth.length > 0) {
      test('has the derivatives that central differences show', () =>
        each(
          smooth,
          (one) => checkDerivatives(row, one),
          () => ['float64'],
        ))
    }
    const pushed = cases.filter(
      (one) => (one.order !== 0 || one.flat === true) && (one.modes ?? ['fwd']).includes('fwd'),
    )
    if (pushed.length > 0)
      test('has tangents of the types of its results, also linearised', () =>
        each(pushed, (one, dtype) => checkTangents(row, one, dtype), some))
    const linear = cases.filter((one) => one.linear !== undefined)
    if (linear.length > 0) {
      test('has a transpose that is the adjoint', () =>
        each(
          linear,
          (one, dtype) => checkTranspose(row, one, dtype),
          (one) => [...new Set<DType>([...some(one), 'float64'])].filter((dtype) => dtypesOf(one).includes(dtype)),
        ))
    }
    const refusing = cases.find(
      (one) =>
        one.params !== undefined &&
        one.operands.some((operand, i) => operand.dtype === undefined && (one.by ?? [i]).includes(i)) &&
        dtypesOf(one).includes('float32'),
    )
    if (row.transpose === undefined && refusing !== undefined) {
      test('refuses to be transposed, naming itself and the rule', () => checkMissingTranspose(row, refusing))
    }
    for (const [message, run] of Object.entries(missing)) {
      test(`refuses what it has no rule for: ${message}`, () => {
        expect(run).toThrow(MissingRuleError)
        expect(run).toThrow(message)
      })
    }
    test('has no rule that went unchecked', () => {
      const rules = counted.filter(
        (rule) => (row as unknown as Record<string, unknown>)[rule] !== undefined && unused[rule] === undefined,
      )
      expect(rules.filter((rule) => !counting.calls.has(rule))).toEqual([])
    })
  })
}
