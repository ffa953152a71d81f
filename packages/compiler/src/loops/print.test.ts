// Kernels as text.
import { expect, test } from 'vitest'
import {
  add,
  and,
  assign,
  binary,
  bitcast,
  constant,
  convert,
  f32,
  fma,
  forLoop,
  ge,
  i32,
  load,
  local,
  lt,
  mul,
  narrow,
  neg,
  not,
  or,
  select,
  shl,
  store,
  sub,
  u32,
  unary,
  update,
  variable,
  when,
  whilst,
} from './build.ts'
import { flatIndex, indexAdd } from './indices.ts'
import { Buffer, type Expr, Local, LoopVar, type Product, type ScalarFunction, type Stmt } from './ir.ts'
import { printKernel } from './print.ts'
import { buffersOf } from './visit.ts'

const [i, j, k] = [new LoopVar('i', 2), new LoopVar('j', 3), new LoopVar('k', 5)]
const at = flatIndex([variable(i), variable(j)], [2, 3])
const [x, out] = [new Buffer('x', 'float32', 6), new Buffer('out', 'float16', 6)]
const printed = (...body: readonly Stmt[]): string => {
  const kernel = { kind: 'nest', name: 'kernel', grid: [i, j], body } as const
  return `\n${printKernel({ ...kernel, params: buffersOf(kernel) })}\n`
}

test('a nest prints its parameters, its grid and its statements', () => {
  const total = new Local('total', 'f32')
  const element = load(x, at)
  const doubled = mul(element, f32(2))
  expect(
    printed(
      { op: 'reduce', variables: [k], accumulators: [{ into: total, combine: 'max', value: sub(element, doubled) }] },
      store(out, indexAdd(at, 0), narrow('float16', select(lt(doubled, f32(0)), neg(doubled), local(total)))),
    ),
  ).toMatchInlineSnapshot(`
    "
    nest kernel(x: f32[6], out: f16[6])
      parallel i < 2, j < 3:
        reduce k < 5:
          total: f32 max= x[i * 3 + j] - x[i * 3 + j] * 2.0
        let $1 = x[i * 3 + j] * 2.0
        out[i * 3 + j] = narrow.f16($1 < 0.0 ? -$1 : total)
    "
  `)
})

test('loops, conditions and updates print by indentation', () => {
  const n = new Local('n', 'i32')
  const counts = new Buffer('counts', 'uint8', 6)
  const value = load(counts, at)
  expect(
    printed(
      assign(n, i32(0)),
      whilst(lt(local(n), i32(3)), [assign(n, add(local(n), i32(1)))]),
      forLoop(k, [when(ge(load(x, i32(0)), f32(0.5)), [update(counts, at, 'add', u32(1))], [])], local(n)),
      when(constant('bool', 1), [], [store(counts, at, narrow('uint8', add(value, value)))]),
    ),
  ).toMatchInlineSnapshot(`
    "
    nest kernel(x: f32[6], counts: u8[6])
      parallel i < 2, j < 3:
        n: i32 = 0
        while n < 3:
          n = n + 1
        for k < n (at most 5):
          if x[0] >= 0.5:
            counts[i * 3 + j] add= 1u
        if true:
          pass
        else:
          counts[i * 3 + j] = narrow.u8(counts[i * 3 + j] + counts[i * 3 + j])
    "
  `)
})

test('operators have the fewest parentheses that keep their meaning', () => {
  const [a, b] = [load(x, i32(0)), load(x, i32(1))]
  const word = bitcast('u32', a)
  const texts = (...values: readonly Expr[]): readonly string[] =>
    printed(...values.map((value) => assign(new Local('v', value.type), value)))
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => line.replace(/.* = /, ''))
  expect(
    texts(
      mul(add(a, b), a),
      sub(a, sub(b, a)),
      neg(mul(a, f32(-0.5))),
      and(or(lt(a, b), not(lt(b, a))), constant('bool', 1)),
      binary('or', shl(word, u32(3)), word),
      convert('f64', fma(a, b, f32(Infinity))),
      binary('rem', constant('f64', 1), constant('f64', NaN)),
      unary('sqrt', a),
      { op: 'host', type: 'f64', fn: 'sinh', args: [constant('f64', 0)] },
    ),
  ).toMatchInlineSnapshot(`
    [
      "(x[0] + x[1]) * x[0]",
      "x[0] - (x[1] - x[0])",
      "-(x[0] * -0.5)",
      "(x[0] < x[1]) | ~(x[1] < x[0])",
      "bits.u32(x[0])",
      "$1 << 3u | $1",
      "f64(fma(x[0], x[1], inf))",
      "rem(1.0d, nand)",
      "sqrt(x[0])",
      "host.sinh(0.0d)",
    ]
  `)
})

test('a chain of shared expressions prints in as many lines', () => {
  let value: Expr = load(x, at)
  for (let n = 0; n < 4; n++) value = mul(add(value, f32(1)), value)
  expect(printed(store(x, at, value))).toMatchInlineSnapshot(`
    "
    nest kernel(x: f32[6])
      parallel i < 2, j < 3:
        let $1 = (x[i * 3 + j] + 1.0) * x[i * 3 + j]
        let $2 = ($1 + 1.0) * $1
        let $3 = ($2 + 1.0) * $2
        x[i * 3 + j] = ($3 + 1.0) * $3
    "
  `)
})

test('a product prints its sum, functions print before what calls them', () => {
  const p = new Local('p', 'f32')
  const square: ScalarFunction = { name: 'square', params: [p], body: [], result: mul(local(p), local(p)) }
  const [left, right] = [new Buffer('left', 'float32', 10), new Buffer('right', 'float32', 15)]
  const sum = new Local('sum', 'f32')
  const product: Product = {
    kind: 'product',
    name: 'dot_square',
    params: [left, right, x],
    batch: [],
    rows: [i],
    columns: [j],
    inner: [k],
    left: load(left, flatIndex([variable(i), variable(k)], [2, 5])),
    right: load(right, flatIndex([variable(k), variable(j)], [5, 3])),
    sum,
    body: [store(x, at, { op: 'call', type: 'f32', callee: square, args: [local(sum)] })],
  }
  expect(`\n${printKernel(product)}\n`).toMatchInlineSnapshot(`
    "
    function square(p: f32): f32
      return p * p
    product dot_square(left: f32[10], right: f32[15], x: f32[6])
      parallel i < 2, j < 3:
        reduce k < 5:
          sum: f32 add= left[i * 5 + k] * right[k * 3 + j]
        x[i * 3 + j] = square(sum)
    "
  `)
})
