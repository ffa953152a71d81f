/** Sine, cosine and tangent of f32, right for arguments of any size; bounds are in docs/accuracy.md. */
import {
  add,
  and,
  assign,
  bitcast,
  div,
  eq,
  f32,
  fma,
  lt,
  local,
  mul,
  select,
  shl,
  u32,
  when,
  xor,
} from '../loops/build.ts'
import { type Expr, Local, type ScalarFunction } from '../loops/ir.ts'
import { bitsOf, magnitudeBits, pattern, polynomial, timesSign } from './bits.ts'
import { type Turn, largeFrom, largeTurn, smallTurn } from './turns.ts'

/** sin r and cos r for |r| ≤ π/4. */
function sinOf(r: Expr, square: Expr): Expr {
  return fma(mul(r, square), polynomial(square, [-0.166666552, 0.0083321901, -0.000195184082]), r)
}
function cosOf(square: Expr): Expr {
  const rest = polynomial(square, [0.0416666456, -0.00138873013, 2.44306684e-5])
  return fma(mul(square, square), rest, fma(square, f32(-0.5), f32(1)))
}
/** Whether the number of quarters is odd. */
const isOdd = (quarters: Expr): Expr => eq(and(quarters, u32(1)), u32(1))
/** Negated where the given bit of a word is set. */
const negatedAt = (bit: number, word: Expr, x: Expr): Expr =>
  bitcast('f32', xor(bitsOf(x), shl(and(word, u32(2 ** bit)), u32(31 - bit))))

/** Of |x|. */
type OfTurn = (turn: Turn) => Expr
const sinOfTurn: OfTurn = ({ quarters, r }) => {
  const square = mul(r, r)
  return negatedAt(1, quarters, select(isOdd(quarters), cosOf(square), sinOf(r, square)))
}
const cosOfTurn: OfTurn = ({ quarters, r }) => {
  const square = mul(r, r)
  return negatedAt(1, add(quarters, u32(1)), select(isOdd(quarters), sinOf(r, square), cosOf(square)))
}
const tanOfTurn: OfTurn = ({ quarters, r }) => {
  const square = mul(r, r)
  const rest = polynomial(
    square,
    [0.333333492, 0.133326739, 0.0540591665, 0.0212846454, 0.0108319307, 9.21548708e-5, 0.00437585777],
  )
  const t = fma(mul(r, square), rest, r)
  return select(isOdd(quarters), div(f32(-1), t), t)
}

const isLarge = (x: Expr): Expr => lt(u32(pattern(largeFrom) - 1), magnitudeBits(x))
/** A scalar function of large arguments, which does nothing for others: so that vectors need not stop for them. */
function ofLarge(name: string, f: OfTurn): ScalarFunction {
  const [x, result] = [new Local('x', 'f32'), new Local('result', 'f32')]
  const { body, ...turn } = largeTurn(local(x))
  return {
    name,
    params: [x],
    body: [assign(result, f32(NaN)), when(isFiniteAndLarge(local(x)), [...body, assign(result, f(turn))])],
    result: local(result),
  }
}
const isFiniteAndLarge = (x: Expr): Expr => and(isLarge(x), lt(magnitudeBits(x), u32(0x7f800000)))

function anywhere(f: OfTurn, large: ScalarFunction): (x: Expr) => Expr {
  return (x) => select(isLarge(x), { op: 'call', type: 'f32', callee: large, args: [x] }, f(smallTurn(x)))
}
const [sinAny, tanAny] = [
  anywhere(sinOfTurn, ofLarge('sin_of_large', sinOfTurn)),
  anywhere(tanOfTurn, ofLarge('tan_of_large', tanOfTurn)),
]
/** sin x. */
export const sin = (x: Expr): Expr => timesSign(sinAny(x), x)
/** cos x. */
export const cos: (x: Expr) => Expr = anywhere(cosOfTurn, ofLarge('cos_of_large', cosOfTurn))
/** tan x: of an odd number of quarters it is −1/tan r. */
export const tan = (x: Expr): Expr => timesSign(tanAny(x), x)
