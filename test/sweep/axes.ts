// The check of axis rules: an operation that is run by parts gives what it gives as a whole.
import {
  type Aval,
  type AnyPrimitive,
  type Atom,
  type ClosedJaxpr,
  type Combination,
  type DType,
  type Factor,
  type InnerFactor,
  Literal,
  type NDArray,
  type Primitive,
  type Span,
  type Var,
  makeJaxpr,
  np,
} from 'fluxion'
import { derive, unitsOf } from '@fluxion/compiler'
import { expectClose } from '@fluxion/testing'
import { expect } from 'vitest'
import { type Case, call } from './cases.ts'
import { listRun, operandsOf } from './check.ts'

type Params = Record<string, unknown>
const cut = (x: NDArray, dim: number, span: Span): NDArray => {
  const [start, size] = span(x.shape[dim]!)
  const at = x.shape.map((all, i) => (i === dim ? [start, start + size] : [0, all]))
  return call('slice', [x], {
    startIndices: at.map(([from]) => from),
    limitIndices: at.map(([, to]) => to),
    strides: null,
  })[0]!
}

const combine: Readonly<Record<Combination, (x: NDArray, y: NDArray) => NDArray>> = {
  sum: np.add,
  product: np.multiply,
  max: np.maximum,
  min: np.minimum,
  and: np.bitwiseAnd,
  or: np.bitwiseOr,
  xor: np.bitwiseXor,
}
/** Two arrays that combine to `x`, neither of which need be `x`. */
function partials(how: Combination, x: NDArray): [NDArray, NDArray] {
  const other = np.flip(x)
  switch (how) {
    // exactly, also where the operation makes a wider dtype of them
    case 'sum':
      return [x.mul(2), x.sub(x.mul(2))]
    case 'product':
      return [np.onesLike(x), x]
    case 'max':
      return [x, np.minimum(x, other)]
    case 'min':
      return [np.maximum(x, other), x]
    case 'and':
      return [x, np.bitwiseOr(x, other)]
    case 'or':
      return [np.bitwiseAnd(x, other), x]
    case 'xor':
      return [other, np.bitwiseXor(x, other)]
  }
}
/** Whether arrays of a dtype can be combined so. */
const combines = (how: Combination, dtype: DType): boolean =>
  ['and', 'or', 'xor'].includes(how)
    ? dtype === 'bool' || dtype.includes('int')
    : dtype !== 'bool' || how === 'max' || how === 'min'

/** The two parts, of unequal sizes if there are more than two pieces. */
const spans = (units: number): Span[] => {
  const first = Math.max(1, Math.floor(units / 3))
  return [(size) => [0, (size / units) * first], (size) => [(size / units) * first, size - (size / units) * first]]
}

/** Run by two parts along a factor and compare with the results as a whole; false if there is nothing to cut. */
export function runByParts(
  factor: Factor | InnerFactor,
  args: readonly NDArray[],
  outs: readonly NDArray[],
  run: (span: Span, args: readonly NDArray[]) => readonly NDArray[],
): boolean {
  const [avals, outAvals] = [args, outs].map((list) => list.map(({ aval }) => aval)) as [Aval[], Aval[]]
  expect([factor.operands.length, factor.results.length]).toEqual([args.length, outs.length])
  const entries = [
    ...factor.operands.map((entry, i) => [entry, avals[i]!] as const),
    ...factor.results.map((entry, k) => [entry, outAvals[k]!] as const),
  ]
  // without dimensions there are partial operands only
  const units = entries.some(([entry]) => typeof entry === 'number') ? unitsOf(factor, avals, outAvals) : 2
  if (units < 2) return false
  for (const [entry, { shape, dtype }] of entries) {
    if (typeof entry === 'number') expect(shape[entry]! % units).toBe(0)
    if (typeof entry === 'string' && !combines(entry, dtype)) return false
  }
  const halves = args.map((x, i) => {
    const how = factor.operands[i]
    return typeof how === 'string' ? partials(how, x) : undefined
  })
  const parts = spans(units).map((span, p) => {
    const given = args.map((x, i) => {
      const entry = factor.operands[i]
      return typeof entry === 'number' ? cut(x, entry, span) : (halves[i]?.[p] ?? x)
    })
    return run(span, given)
  })
  outs.forEach((out, k) => {
    const entry = factor.results[k]
    const [first, second] = parts.map((results) => results[k]!) as [NDArray, NDArray]
    if (entry === null || entry === undefined) for (const part of [first, second]) expectClose(part, out)
    else if (typeof entry === 'number') expectClose(np.concatenate([first, second], { axis: entry }), out)
    else expectClose(combine[entry](first, second), out)
  })
  return true
}
/** The same of a row's operation; what depends on where it starts is run whole, and cut. */
function checkFactor(
  row: AnyPrimitive,
  args: readonly NDArray[],
  params: Params,
  outs: readonly NDArray[],
  factor: Factor,
): boolean {
  return runByParts(factor, args, outs, (span, given) => {
    const results = call(row.name, given, factor.part?.(span) ?? params)
    if (factor.offset !== true) return results
    return results.map((x, k) => (typeof factor.results[k] === 'number' ? cut(x, factor.results[k], span) : x))
  })
}

/** Run a program equation by equation, and hand the operations of one primitive to `see`. */
function walk(
  program: ClosedJaxpr,
  args: readonly NDArray[],
  see: (args: NDArray[], params: Params, outs: readonly NDArray[]) => void,
  name: string,
): void {
  const { jaxpr, consts } = program
  const values = new Map<Var, NDArray>()
  jaxpr.constants.forEach((v, i) => values.set(v, consts[i]!))
  jaxpr.inputs.forEach((v, i) => values.set(v, args[i]!))
  const read = (atom: Atom): NDArray =>
    atom instanceof Literal ? np.array(atom.value, { dtype: atom.aval.dtype }) : values.get(atom)!
  for (const { primitive, inputs, params, outputs } of jaxpr.equations) {
    const given = inputs.map(read)
    const results = call(primitive.name, given, params)
    outputs.forEach((v, k) => v !== null && values.set(v, results[k]!))
    if (primitive.name === name) see(given, params as Params, results)
  }
}

/** By every factor of a case; gives how many of them had something to cut. */
export function checkAxes(row: AnyPrimitive, one: Case, dtype: DType): number {
  const args = operandsOf(one, dtype)
  let count = 0
  const check = (given: readonly NDArray[], params: Params, outs: readonly NDArray[]): void => {
    const avals = given.map(({ aval }) => aval)
    const factors = (row as Primitive).axes(
      avals,
      params,
      outs.map(({ aval }) => aval),
      derive,
    )
    for (const factor of factors) {
      try {
        if (checkFactor(row, given, params, outs, factor)) count++
      } catch (error) {
        if (error instanceof Error) error.message = `factor ${JSON.stringify(factor)}\n${error.message}`
        throw error
      }
    }
  }
  const run = listRun(row, one)
  if (one.params !== undefined) check(args, one.params as Params, run(...args))
  else walk(makeJaxpr((...xs: NDArray[]) => run(...xs))(...args), args, check, row.name)
  return count
}
