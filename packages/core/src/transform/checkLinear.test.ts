/** The programs that transformations make of many programs are right, and linear where they should be. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkJaxpr } from '../ir/check.ts'
import { aval } from '../ir/aval.ts'
import { type ClosedJaxpr, inAvals, outAvals } from '../ir/jaxpr.ts'
import { jaxprCases } from '../ir/jaxprs.testing.ts'
import { InvariantError } from '../errors.ts'
import { add, convert, mul, neg, selectN, sin } from '../primitive/elementwise.ts'
import { dotGeneral } from '../primitive/dot.ts'
import { scalar } from '../trace.ts'
import { checkLinear } from './checkLinear.ts'
import { makeJaxpr } from './inspect.ts'
import { isDifferentiable, jvpProgram } from './jvp.ts'
import { linearizeProgram } from './linearize.ts'
import { stage } from './staging.ts'
import { transposedProgram } from './transpose.ts'
import { batchedProgram } from './vmap.ts'

interface Case {
  readonly case: string
  readonly args: readonly never[]
}
const file = new URL('../../../../test/golden/jaxprs.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] }
const programs = cases.map(
  ({ case: name, args }) => [name, makeJaxpr(jaxprCases[name]!)(...args) as ClosedJaxpr] as const,
)

// A rule refuses: there is no derivative by the first operand, updates may meet, a rule's function closes over an input.
const noDerivative = new Set(['special_functions', 'scatters', 'custom_jvp_closed'])
// Loops of unknown length have tangents, but no transpose.
const noReverse = new Set(['while_loop', 'fori_loop_dynamic', 'vmap_while', 'closed_over_while'])
const floats = (program: ClosedJaxpr): boolean[] => inAvals(program).map(isDifferentiable)

test.each(programs)('%s is right', (_, program) => {
  checkJaxpr(program)
})

test.each(programs.filter(([name]) => !noDerivative.has(name)))('the JVP of %s is right', (_, program) => {
  checkJaxpr(jvpProgram(program, floats(program)).program)
})

test.each(programs.filter(([, program]) => inAvals(program).length > 0))('%s batched is right', (_, program) => {
  const { program: batched } = batchedProgram(
    program,
    inAvals(program).map(() => true),
    3,
    null,
  )
  checkJaxpr(batched)
})

test.each(programs.filter(([name]) => !noDerivative.has(name) && !noReverse.has(name)))(
  '%s linearised is right and linear, and its transpose is right',
  (_, program) => {
    const { primal, tangent, residuals, nonzeroOuts } = linearizeProgram(program, floats(program))
    checkJaxpr(primal)
    const linear = inAvals(tangent).map((__, i) => i >= residuals.length)
    checkLinear(tangent, linear)
    checkJaxpr(
      transposedProgram(
        tangent,
        linear,
        outAvals(tangent).map(() => true),
      ).program,
    )
    expect(outAvals(tangent).length).toBe(nonzeroOuts.filter(Boolean).length)
  },
)

const f32 = aval([3], 'float32')
test.each<[string, string, ClosedJaxpr, readonly boolean[]]>([
  ['a sine', 'sin: there is no transpose rule', stage('test', ([x]) => [sin(x!)], [f32]), [true]],
  ['a product of two', 'in equation 1 (mul)', stage('test', ([x]) => [mul(neg(x!), x!)], [f32]), [true]],
  [
    'a contraction of two',
    'in equation 0 (dot_general)',
    stage(
      'test',
      ([x, y]) => [
        dotGeneral(x!, y!, [
          [[0], [0]],
          [[], []],
        ]),
      ],
      [f32, f32],
    ),
    [true, true],
  ],
  [
    'a choice by what should be linear',
    'in equation 0 (select_n)',
    stage('test', ([i, x]) => [selectN(i!, x!, x!)], [aval([3], 'int32'), f32]),
    [true, false],
  ],
  [
    'a number of flags that is not that of inputs',
    'expected 1 flags, got 2',
    stage('test', ([x]) => [x!], [f32]),
    [true, true],
  ],
])('refused: %s', (_, part, program, linear) => {
  let message = 'nothing was found'
  try {
    checkLinear(program, linear)
  } catch (error) {
    expect(error).toBeInstanceOf(InvariantError)
    message = (error as Error).message
  }
  expect(message).toContain(part)
})

test('sums, scalings and conversions of linear inputs pass', () => {
  const program = stage('test', ([w, x, y]) => [convert(add(mul(x!, w!), mul(scalar(2, 'float32'), y!)), 'float16')], [
    f32,
    f32,
    f32,
  ])
  checkLinear(program, [false, true, true])
})
