// Programs as text: numbers, names and nesting.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { aval } from './aval.ts'
import { Var, closed } from './jaxpr.ts'
import { type Doc, concat, group, join, layOut, lineBreak, nest } from './layout.ts'
import { add, sin } from '../primitive/elementwise.ts'
import { stage } from '../transform/staging.ts'
import { floatText, printAround, printJaxpr } from './print.ts'

const scalarType = aval([], 'float32')

test('a float reads back as itself, and is told from an integer', () => {
  fc.assert(
    fc.property(fc.double(), (x) => {
      const text = floatText(x)
      if (Number.isFinite(x)) {
        expect(Number(text)).toBe(x)
        expect(text).toMatch(/[.e]/)
      } else expect(text).toBe(Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf')
    }),
  )
})

test('floats switch to exponents where Python does', () => {
  expect([1e-5, 0.0001, 1e15, 1e16, 1.5e16, -2.5e-7, 1e100, -0, 0.5].map(floatText)).toEqual([
    '1e-05',
    '0.0001',
    '1000000000000000.0',
    '1e+16',
    '1.5e+16',
    '-2.5e-07',
    '1e+100',
    '-0.0',
    '0.5',
  ])
})

test('a program without inputs, equations and outputs prints', () => {
  expect(printJaxpr(closed({ constants: [], inputs: [], equations: [], outputs: [] }))).toBe(
    '{ lambda ; . let  in () }',
  )
})

test('names go on with two letters after z', () => {
  const inputs = Array.from({ length: 28 }, () => new Var(scalarType))
  const text = printJaxpr(closed({ constants: [], inputs, equations: [], outputs: inputs.slice(25) }))
  expect(text).toContain('in (z, ba, bb) }')
})

test('around an equation only its neighbours print', () => {
  const { jaxpr } = stage('test', ([x]) => [Array.from({ length: 9 }).reduce<typeof x>((y) => sin(y!), x)!], [
    scalarType,
  ])
  expect(printAround(jaxpr, 4, 1)).toBe(
    [
      '{ lambda ; a:f32[]. let',
      '    ...',
      '    b:f32[] = sin c',
      '    d:f32[] = sin b',
      '    e:f32[] = sin d',
      '    ...',
      '  in (f,) }',
    ].join('\n'),
  )
})

test('a result that nothing uses has its type', () => {
  const program = stage('test', ([x]) => (add(x!, x!), [x!]), [aval([2, 3], 'float16')])
  expect(printJaxpr(program)).toBe('{ lambda ; a:f16[2,3]. let _:f16[2,3] = add a a in (a,) }')
})

test('a group of the width fits, a longer one breaks', () => {
  const words = (first: number): string => layOut(group(concat('x'.repeat(first), lineBreak(), 'y')), 80)
  expect(words(78)).toBe(`${'x'.repeat(78)} y`)
  expect(words(79)).toBe(`${'x'.repeat(79)}\ny`)
})

test('an inner group may stay whole where the outer one breaks', () => {
  const inner = (text: string): Doc => group(concat('(', nest(1, concat(text, lineBreak(), text)), ')'))
  const doc = group(nest(2, join(concat(',', lineBreak()), [inner('ab'), inner('abcdef')])))
  expect(layOut(doc, 10)).toBe('(ab ab),\n  (abcdef\n   abcdef)')
})

test('a document keeps its words whatever the width', () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/)
  const { doc } = fc.letrec<{ doc: Doc }>((tie) => ({
    doc: fc.oneof(
      { maxDepth: 4 },
      word,
      fc.constant(lineBreak()),
      fc.array(tie('doc'), { maxLength: 4 }).map((parts) => concat(...parts)),
      tie('doc').map(group),
      tie('doc').map((inner) => nest(2, inner)),
    ),
  }))
  const squeezed = (text: string): string => text.replace(/\s+/g, '')
  fc.assert(
    fc.property(doc, fc.integer({ min: 1, max: 40 }), (d, width) => {
      expect(squeezed(layOut(d, width))).toBe(squeezed(layOut(group(d), Infinity)))
      expect(layOut(group(d), Infinity)).not.toContain('\n')
    }),
  )
})
