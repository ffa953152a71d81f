// What the check of programs lets pass, and how it shows what it refuses.
import { expect, test } from 'vitest'
import '../setup.ts'
import type { NDArray } from '../array.ts'
import { cond } from '../control/branches.ts'
import { jit } from '../control/jitted.ts'
import { scan, whileLoop } from '../control/loops.ts'
import { InvariantError } from '../errors.ts'
import { add, cos, lt, mul, sin } from '../primitive/elementwise.ts'
import { scalar } from '../trace.ts'
import { stage } from '../transform/staging.ts'
import { aval } from './aval.ts'
import { checkJaxpr } from './check.ts'
import { type ClosedJaxpr, type Equation, type Jaxpr, Literal, Var, closed } from './jaxpr.ts'

const f32 = aval([3], 'float32')
const scalarType = aval([], 'float32')
const program = stage('test', ([x]) => [mul(sin(x!), cos(x!))], [f32])
/** The program with one equation changed. */
const changed = (
  { jaxpr, consts }: ClosedJaxpr,
  index: number,
  change: (equation: Equation) => Partial<Equation>,
): ClosedJaxpr => ({
  jaxpr: {
    ...jaxpr,
    equations: jaxpr.equations.map((equation, i) => (i === index ? { ...equation, ...change(equation) } : equation)),
  },
  consts,
})
function faultOf(wrong: ClosedJaxpr): string {
  let message = 'nothing was found'
  try {
    checkJaxpr(wrong)
  } catch (error) {
    expect(error).toBeInstanceOf(InvariantError)
    message = (error as Error).message
  }
  return message
}

test('a right program passes', () => {
  expect(faultOf(program)).toBe('nothing was found')
})

test('a wrong equation is shown among its neighbours', () => {
  const wrong = changed(program, 2, () => ({ outputs: [new Var(aval([2], 'float32'))] }))
  expect(faultOf(wrong)).toBe(
    [
      'mul: result 0 is f32[2], its rule gives f32[3]',
      'in equation 2 (mul) of',
      '{ lambda ; a:f32[3]. let',
      '    b:f32[3] = sin a',
      '    c:f32[3] = cos a',
      '    _:f32[2] = mul b c',
      '  in (d,) }',
    ].join('\n'),
  )
})

test.each<[string, string, ClosedJaxpr]>([
  [
    'weakness counts as part of the type',
    'result 0 is f32[3] (weak)',
    changed(program, 0, () => ({ outputs: [new Var(aval([3], 'float32', true))] })),
  ],
  [
    'a variable is read before it is bound',
    'read before it is bound',
    changed(program, 0, ({ outputs }) => ({ inputs: [outputs[0]!] })),
  ],
  [
    'a variable is bound twice',
    'bound twice',
    changed(program, 1, () => ({ outputs: [program.jaxpr.equations[0]!.outputs[0]!] })),
  ],
  [
    'an input is listed twice',
    'bound twice',
    closed({ ...program.jaxpr, inputs: [program.jaxpr.inputs[0]!, program.jaxpr.inputs[0]!] }),
  ],
  ['an output is bound nowhere', 'in the outputs of', closed({ ...program.jaxpr, outputs: [new Var(f32)] })],
  ['results are missing', 'gives 1 results, the equation has 0', changed(program, 0, () => ({ outputs: [] }))],
  [
    'the type rule refuses the operands',
    'expected equal dtypes',
    changed(program, 2, ({ inputs }) => ({ inputs: [inputs[0]!, new Literal(1, aval([], 'int32'))] })),
  ],
  ['a literal is no scalar', 'a literal is f32[3]', changed(program, 0, () => ({ inputs: [new Literal(1, f32)] }))],
  [
    'constants have no values',
    'the constants: expected (f32[3]), got ()',
    closed({ ...program.jaxpr, constants: [new Var(f32)] }),
  ],
])('found: %s', (_, part, wrong) => {
  expect(faultOf(wrong)).toContain(part)
})

const one = (): NDArray => scalar(1, 'float32')
/** The single equation of a program that holds programs, with its parameters changed. */
function withParams<P extends object>(of: ClosedJaxpr, change: (params: P) => Partial<P>): ClosedJaxpr {
  const index = of.jaxpr.equations.findIndex(({ params }) =>
    Object.values(params)
      .flat()
      .some((value) => typeof value === 'object' && value !== null && 'jaxpr' in value),
  )
  return changed(of, index, ({ params }) => ({ params: { ...params, ...change(params as P) } }))
}
const loop = stage('test', ([x, xs]) => scan((c: NDArray, y: NDArray) => [add(c, y), c], x!, xs!), [scalarType, f32])
const repeated = stage(
  'test',
  ([x]) => [
    whileLoop(
      (v: NDArray) => lt(v, one()),
      (v: NDArray) => add(v, one()),
      x!,
    ),
  ],
  [scalarType],
)
const branching = stage('test', ([p, x]) => [cond(p!, sin, cos, x!)], [aval([], 'bool'), scalarType])
const call = stage('test', ([x]) => [jit(sin)(x!)], [f32])
const other = (inputs: number, dtype: 'float32' | 'float16' = 'float32', shape: readonly number[] = []): ClosedJaxpr =>
  stage(
    'test',
    (args) => [sin(args[0]!)],
    Array.from({ length: inputs }, () => aval(shape, dtype)),
  )
type Held = {
  jaxpr: ClosedJaxpr
  bodyJaxpr: ClosedJaxpr
  condJaxpr: ClosedJaxpr
  branches: ClosedJaxpr[]
  numCarry: number
  length: number
}

test('programs that hold programs pass', () => {
  for (const of of [loop, repeated, branching, call]) expect(faultOf(of)).toBe('nothing was found')
})

test.each<[string, string, ClosedJaxpr]>([
  [
    'the body of a scan takes other operands',
    'scan: the operands of the body',
    withParams<Held>(loop, () => ({ jaxpr: other(3) })),
  ],
  [
    'a scan returns another carry',
    'scan: the carry that the body returns',
    withParams<Held>(loop, ({ jaxpr }) => ({
      jaxpr: closed({ ...jaxpr.jaxpr, outputs: [new Literal(0, aval([], 'int32'))] }),
    })),
  ],
  ['a scan is longer than what it scans', 'leading axis of 4', withParams<Held>(loop, () => ({ length: 4 }))],
  [
    'a while returns another carry',
    'while: the operands of the body',
    withParams<Held>(repeated, () => ({ bodyJaxpr: other(1, 'float16') })),
  ],
  [
    'a while has a condition that is no bool',
    'while: the result of the condition',
    withParams<Held>(repeated, () => ({ condJaxpr: other(1) })),
  ],
  [
    'branches take other operands',
    'cond: the operands of branch 1',
    withParams<Held>(branching, ({ branches }) => ({ branches: [branches[0]!, other(2)] })),
  ],
  [
    'branches return different types',
    'cond: the results of branch 1',
    withParams<Held>(branching, ({ branches }) => ({
      branches: [branches[0]!, closed({ ...branches[1]!.jaxpr, outputs: [new Literal(0, aval([], 'int32'))] })],
    })),
  ],
  [
    'a call has other operands',
    'the operands of the called program',
    withParams<Held>(call, () => ({ jaxpr: other(1, 'float32', [2]) })),
  ],
])('found in programs inside: %s', (_, part, wrong) => {
  expect(faultOf(wrong)).toContain(part)
})

test('a fault inside a program inside is shown there and outside', () => {
  const inner = (call.jaxpr.equations[0]!.params as Held).jaxpr
  const broken: Jaxpr = changed(inner, 0, () => ({ outputs: [new Var(scalarType)] })).jaxpr
  const message = faultOf(withParams<Held>(call, () => ({ jaxpr: closed(broken) })))
  expect(message).toContain('sin: result 0 is f32[], its rule gives f32[3]\nin equation 0 (sin) of')
  expect(message).toContain('in equation 0 (jit) of')
})
