// The check of axis rules: an operation that is run by parts gives what it gives as a whole.
import {
  type Aval,
  type AnyPrimitive,
  type Atom,
  type ClosedJaxpr,
  type Combination,
  type DType,
  type Factor,
  Literal,
  type NDArray,
  type Primitive,
  type Span,
  type Var,
  makeJaxpr,
  np,
} from 'fluxion'
import { expectClose } from '@fluxion/testing'
import { expect } from 'vitest'
import { derive, unitsOf } from '../../packages/compiler/src/passes/axes.ts'
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
    case 'sum': {
      const half = x.dtype === 'bool' ? np.zerosLike(x) : other
      return [half, x.dtype === 'bool' ? x : x.sub(half)]
    }
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

/** Run an operation by two parts along a factor. */
function checkFactor(
  row: AnyPrimitive,
  args: readonly NDArray[],
  params: Params,
  outs: readonly NDArray[],
  factor: Factor,
): boolean {
  const avals = args.map(({ aval }) => aval)
  const outAvals = outs.map(({ aval }) => aval)
  const dims = [...factor.operands, ...factor.results].filter((entry) => typeof entry === 'number')
  const units = dims.length === 0 ? 2 : unitsOf(factor, avals, outAvals)
  const splits = (entries: Factor['operands'], list: readonly Aval[]): void =>
    entries.forEach((entry, i) => {
      if (typeof entry === 'number') expect(list[i]!.shape[entry]! % Math.max(1, units)).toBe(0)
    })
  expect(factor.operands.length).toBe(args.length)
  expect(factor.results.length).toBe(outs.length)
  splits(factor.operands, avals)
  splits(factor.results, outAvals)
  const hows = [
    ...factor.operands.map((how, i) => [how, args[i]!] as const),
    ...factor.results.map((how, k) => [how, outs[k]!] as const),
  ]
  if (units < 2 || !hows.every(([how, x]) => typeof how !== 'string' || combines(how, x.dtype))) return false
  const halves = args.map((x, i) => {
    const how = factor.operands[i]
    return typeof how === 'string' ? partials(how, x) : undefined
  })
  const parts = spans(units).map((span, p) => {
    const given = args.map((x, i) => {
      const entry = factor.operands[i]
      return typeof entry === 'number' ? cut(x, entry, span) : (halves[i]?.[p] ?? x)
    })
    const results = call(row.name, given, factor.offset ? params : (factor.part?.(span) ?? params))
    if (factor.offset !== true) return results
    return results.map((x, k) => (typeof factor.results[k] === 'number' ? cut(x, factor.results[k], span) : x))
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
