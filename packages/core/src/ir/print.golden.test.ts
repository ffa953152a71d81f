/** Printed programs against what real JAX prints, whole texts. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { reference } from '../backend/reference/backend.ts'
import { setBackend } from '../trace.ts'
import { makeJaxpr } from '../transform/inspect.ts'
import { jaxprCases } from './jaxprs.testing.ts'
import { printJaxpr } from './print.ts'

setBackend(reference)

interface Case {
  readonly case: string
  readonly args: readonly never[]
  readonly jaxpr: string
}
const file = new URL('../../../../test/golden/jaxprs.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] }

test('every golden program is written here', () => {
  expect(Object.keys(jaxprCases)).toEqual(cases.map(({ case: name }) => name))
})

test.each(cases.map((row) => [row.case, row] as const))('%s prints as in JAX', (name, { args, jaxpr }) => {
  expect(printJaxpr(makeJaxpr(jaxprCases[name]!)(...args))).toBe(jaxpr)
})
