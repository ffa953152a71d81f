/** Algebra on elements that is exact for every value. Operands of equal elements are scalars here. */
import { type Atom, type DType, type Equation, Literal, allBits, dtypes, highest, isFloat, lowest } from '@fluxion/core'
import type { Rule, Rules, Simplifier } from '../simplify.ts'

const result = ({ outputs }: Equation) => outputs[0]!.aval
/** The operand besides a number that an operation leaves it alone with, in the result's shape. */
const neutral =
  (isNeutral: (value: number, dtype: DType) => boolean, sides: readonly (0 | 1)[] = [0, 1]): Rule =>
  (equation, to) => {
    if (equation.outputs[0] === null) return undefined
    for (const side of sides) {
      const [atom, other] = [equation.inputs[side]!, equation.inputs[1 - side]!]
      if (atom instanceof Literal && isNeutral(atom.value, atom.aval.dtype)) return [to.shaped(other, result(equation))]
    }
    return undefined
  }
/** An operation whose result is a number as soon as one operand is another. */
const absorbing =
  (absorbs: (value: number, dtype: DType) => boolean): Rule =>
  (equation, to) => {
    const found = equation.inputs.find((atom) => atom instanceof Literal && absorbs(atom.value, atom.aval.dtype))
    return found === undefined || equation.outputs[0] === null ? undefined : [to.shaped(found, result(equation))]
  }
const idempotent: Rule = ({ inputs: [x, y] }) => (x === y ? [x!] : undefined)
/** An operation that undoes itself. */
const involution: Rule = ({ primitive, inputs: [x] }, to) => {
  const before = to.made(x!, primitive.name)
  return before === undefined ? undefined : [before.inputs[0]!]
}

// x + 0 is x but for x = -0, which x + -0 keeps; x - 0 keeps it too.
const addsNothing = (value: number, dtype: DType): boolean => (isFloat(dtype) ? Object.is(value, -0) : value === 0)

/** x / 2ᵏ = x · 2⁻ᵏ, where 2⁻ᵏ is a normal number of the dtype. */
const divideByPower: Rule = ({ inputs: [x, y], source }, to) => {
  if (!(y instanceof Literal) || !isFloat(y.aval.dtype)) return undefined
  const reach = y.aval.dtype === 'float16' ? 14 : y.aval.dtype === 'float64' ? 1022 : 126
  const exponent = Math.log2(Math.abs(y.value))
  if (!Number.isInteger(exponent) || 2 ** exponent !== Math.abs(y.value) || Math.abs(exponent) > reach) return undefined
  return [to.make('mul', [x!, new Literal(1 / y.value, y.aval)], {}, source)]
}
const timesMinusOne: Rule = ({ inputs, source }, to) => {
  const side = inputs.findIndex((atom) => atom instanceof Literal && atom.value === -1)
  return side < 0 || dtypes[inputs[0]!.aval.dtype].kind === 'unsigned'
    ? undefined
    : [to.make('neg', [inputs[1 - side]!], {}, source)]
}
/** −(x · c) = x · −c. */
const negateFactor: Rule = ({ inputs: [x], source }, to) => {
  const product = to.made(x!, 'mul')
  const side = product?.inputs.findIndex((atom) => atom instanceof Literal) ?? -1
  if (product === undefined || side < 0 || !isFloat(x!.aval.dtype)) return undefined
  const factor = product.inputs[side] as Literal
  return [to.make('mul', [product.inputs[1 - side]!, new Literal(-factor.value, factor.aval)], {}, source)]
}
const wholePower: Rule = (equation, to) => {
  const {
    inputs: [x],
    params,
    source,
  } = equation
  const { y } = params as { readonly y: number }
  if (y === 1) return [x!]
  if (y === 2) return [to.make('square', [x!], {}, source)]
  return y === 0 && equation.outputs[0] !== null ? [to.number(1, result(equation))] : undefined
}

interface ConvertParams {
  readonly newDtype: DType
}
/** How many bits a float's significand has, the leading one included. */
const significand: Readonly<Partial<Record<DType, number>>> = { float16: 11, bfloat16: 8, float32: 24, float64: 53 }
/** Whether every value of one dtype is one of another. */
function holds(wide: DType, narrow: DType): boolean {
  if (wide === narrow || narrow === 'bool') return true
  if (wide === 'bool') return false
  if (isFloat(narrow)) return wide === 'float64' || (wide === 'float32' && narrow !== 'float64')
  const { bits, kind } = dtypes[narrow]
  if (isFloat(wide)) return bits - (kind === 'signed' ? 1 : 0) <= significand[wide]!
  return dtypes[wide].min <= dtypes[narrow].min && dtypes[narrow].max <= dtypes[wide].max
}
const convertOnce: Rule = ({ inputs: [x], params, source }, to) => {
  const { newDtype } = params as ConvertParams
  if (x!.aval.dtype === newDtype) return [x!]
  const before = to.made(x!, 'convert_element_type')
  if (before === undefined) return undefined
  const from = before.inputs[0]!
  const [first, middle] = [from.aval.dtype, x!.aval.dtype]
  if (!holds(middle, first)) return undefined
  // Floats saturate where integers wrap, so that an integer that went through a float must fit in what it becomes.
  const isInteger = (dtype: DType): boolean => !isFloat(dtype) && dtype !== 'bool'
  if (isInteger(newDtype) && isFloat(middle) && !isFloat(first) && !holds(newDtype, first)) return undefined
  return [to.make('convert_element_type', [from], params, source)]
}

const select: Rule = (equation, to) => {
  const {
    inputs: [which, ...cases],
    source,
    outputs,
  } = equation
  if (outputs[0] === null) return undefined
  const out = result(equation)
  if (which instanceof Literal) {
    const at = Math.min(Math.max(which.value, 0), cases.length - 1)
    return [to.shaped(cases[at]!, out)]
  }
  if (cases.every((atom) => same(atom, cases[0]!))) return [to.shaped(cases[0]!, out)]
  const negated = to.made(which!, 'not')
  if (cases.length === 2 && which!.aval.dtype === 'bool' && negated !== undefined)
    return [to.make('select_n', [negated.inputs[0]!, cases[1]!, cases[0]!], {}, source)]
  return undefined
}
/** One value, or one number. */
const same = (a: Atom, b: Atom): boolean =>
  a === b || (a instanceof Literal && b instanceof Literal && Object.is(a.value, b.value))

/** What a comparison of a converted bool with 0 or 1 says of the bool: whether it holds for false, and for true. */
const compareBool =
  (test: (x: number, y: number) => boolean): Rule =>
  (equation, to) => {
    const [x, y] = equation.inputs
    const flipped = x instanceof Literal
    const number = flipped ? x : y
    const converted = to.made((flipped ? y : x)!, 'convert_element_type')?.inputs[0]
    if (!(number instanceof Literal) || converted?.aval.dtype !== 'bool' || equation.outputs[0] === null)
      return undefined
    const at = (bit: number): boolean => (flipped ? test(number.value, bit) : test(bit, number.value))
    return [chosen(converted, at(0), at(1), equation, to)]
  }
function chosen(flag: Atom, whenFalse: boolean, whenTrue: boolean, equation: Equation, to: Simplifier): Atom {
  if (whenFalse === whenTrue) return to.number(whenTrue ? 1 : 0, result(equation))
  return whenTrue ? flag : to.make('not', [flag], {}, equation.source)
}

/** x − y > 0 where x > y: a difference of floats that are not alike is not rounded to 0. */
const compareDifference: Rule = ({ primitive, inputs, source }, to) => {
  const zero = inputs.findIndex((atom) => atom instanceof Literal && atom.value === 0)
  const other = inputs[1 - zero]
  if (zero < 0 || other === undefined || !isFloat(other.aval.dtype)) return undefined
  const difference = to.made(other, 'sub')
  if (difference === undefined) return undefined
  const [x, y] = difference.inputs as [Atom, Atom]
  return [to.make(primitive.name, zero === 1 ? [x, y] : [y, x], {}, source)]
}

/** A clamp whose bounds bound nothing. */
const clampNothing: Rule = ({ inputs: [lo, x, hi] }) => {
  const free =
    lo instanceof Literal &&
    hi instanceof Literal &&
    lo.value === lowest(lo.aval.dtype) &&
    hi.value === highest(hi.aval.dtype)
  return free ? [x!] : undefined
}

export const algebraRules: Rules = {
  add: [neutral(addsNothing)],
  add_any: [neutral(addsNothing)],
  sub: [neutral((value) => Object.is(value, 0), [1])],
  mul: [neutral((value) => value === 1), absorbing((value, dtype) => value === 0 && !isFloat(dtype)), timesMinusOne],
  div: [neutral((value) => value === 1, [1]), divideByPower],
  neg: [involution, negateFactor],
  not: [involution],
  integer_pow: [wholePower],
  max: [idempotent, neutral((value, dtype) => value === lowest(dtype))],
  min: [idempotent, neutral((value, dtype) => value === highest(dtype))],
  and: [idempotent, neutral((value, dtype) => value === allBits(dtype)), absorbing((value) => value === 0)],
  or: [idempotent, neutral((value) => value === 0), absorbing((value, dtype) => value === allBits(dtype))],
  xor: [neutral((value) => value === 0)],
  convert_element_type: [convertOnce],
  select_n: [select],
  clamp: [clampNothing],
  eq: [compareBool((x, y) => x === y)],
  ne: [compareBool((x, y) => x !== y)],
  lt: [compareBool((x, y) => x < y), compareDifference],
  le: [compareBool((x, y) => x <= y)],
  gt: [compareBool((x, y) => x > y), compareDifference],
  ge: [compareBool((x, y) => x >= y)],
}
