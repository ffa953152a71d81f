/** Reductions, running folds, convolutions, windows, factorisations and random bits against real JAX: values and JVPs. */
import { expect, test } from 'vitest'
import type { NDArray } from '../array.ts'
import { isFloat } from '../dtype.ts'
import { type Encoded, decode, golden } from '../numpy/golden.testing.ts'
import { bind, ruleOf } from '../trace.ts'
import './conv.ts'
import './cumulative.ts'
import { type AnyPrimitive, primitives } from './define.ts'
import { hostOf, useHostBackend } from './hostBackend.testing.ts'
import './linalg.ts'
import './random.ts'
import './reduce.ts'
import './window.ts'
import { instantiate } from './zeros.ts'

useHostBackend()

interface Case {
  readonly primitive: string
  readonly params: object
  readonly args: readonly Encoded[]
  readonly outs: readonly Encoded[]
  readonly tangents?: readonly Encoded[]
  readonly outTangents?: readonly (Encoded | null)[]
}

/** Columns of eigenvectors and singular vectors are compared with the sign that makes them agree with the expected ones. */
const signed: Readonly<Record<string, readonly (readonly number[])[]>> = { eigh: [[0]], svd: [[1, 2]] }

/** −1 for each column whose expected version points the other way. */
function signsOf({ primitive, outs }: Case, got: readonly NDArray[]): number[][] {
  const signs = got.map(() => [] as number[])
  for (const [lead, ...rest] of signed[primitive] ?? []) {
    const [rows, columns] = outs[lead!]!.shape as [number, number]
    const [a, b] = [hostOf(got[lead!]!).data, outs[lead!]!.data as number[]]
    const found = Array.from({ length: columns }, (_, j) => {
      let dot = 0
      for (let i = 0; i < rows; i++) dot += a[i * columns + j]! * b[i * columns + j]!
      return Math.sign(dot)
    })
    // in the first result vectors are columns, in the others (Vᵀ) rows
    signs[lead!] = b.map((_, i) => found[i % columns]!)
    for (const other of rest)
      signs[other] = outs[other]!.data.map((_, i) => found[Math.floor(i / outs[other]!.shape[1]!)]!)
  }
  return signs
}

function expectClose(got: NDArray, want: Encoded, signs: readonly number[], tolerance: number): void {
  expect(got.shape).toEqual(want.shape)
  expect(got.dtype).toBe(want.dtype)
  const values = [...hostOf(got).data].map((value, i) => value * (signs[i] ?? 1))
  const wanted = want.data.map(Number)
  if (!isFloat(want.dtype)) expect(values).toEqual(wanted)
  else {
    const scale = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs))
    values.forEach((value, i) => {
      if (Number.isFinite(wanted[i]!))
        expect(Math.abs(value - wanted[i]!), `element ${i} of ${values} for ${wanted}`).toBeLessThan(tolerance * scale)
      else expect(value).toBe(wanted[i])
    })
  }
}

for (const [section, cases] of Object.entries(golden<Record<string, Case[]>>('primitives'))) {
  if (!Array.isArray(cases)) continue
  // JAX computes in float32; factorisations amplify its rounding by their conditions
  const tolerance = section === 'factorisations' ? 2e-4 : 3e-6
  test.each(cases.map((entry, i) => [`${entry.primitive} ${i}`, entry] as const))(
    `${section}: %s has JAX's values and tangents`,
    (_, entry) => {
      const primitive = primitives.get(entry.primitive) as AnyPrimitive
      const args = entry.args.map(decode)
      const outs = bind(primitive, args, entry.params as never)
      const signs = signsOf(entry, outs)
      entry.outs.forEach((want, i) => expectClose(outs[i]!, want, signs[i]!, tolerance))
      if (entry.tangents === undefined) return
      const [, tangents] = ruleOf(primitive, 'jvp')(args, entry.tangents.map(decode), entry.params as never)
      entry.outTangents!.forEach((want, i) => {
        if (want !== null) expectClose(instantiate(tangents[i]!), want, signs[i]!, tolerance * 10)
      })
    },
  )
}
