// Arithmetic of indices against plain arithmetic, and the forms that it ends in.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { variable } from './build.ts'
import { LoopVar, type Expr } from './ir.ts'
import { flatIndex, indexAdd, indexDiv, indexMod, indexMul, linearIn, unflatten } from './indices.ts'

const evaluate = (x: Expr, at: ReadonlyMap<LoopVar, number>): number => {
  if (x.op === 'const') return x.value
  if (x.op === 'var') return at.get(x.variable)!
  if (x.op === 'unary') return -evaluate(x.x, at)
  if (x.op !== 'binary') throw new Error(x.op)
  const [a, b] = [evaluate(x.x, at), evaluate(x.y, at)]
  if (x.fn === 'add') return a + b
  if (x.fn === 'sub') return a - b
  if (x.fn === 'mul') return a * b
  if (x.fn === 'floorDiv') return Math.floor(a / b)
  return a - b * Math.floor(a / b)
}
const i = new LoopVar('i', 6)
const j = new LoopVar('j', 35)

test('taking a flat index apart and putting it together again gives it back', () => {
  const n = variable(new LoopVar('n', 210))
  expect(flatIndex(unflatten(n, [6, 35]), [6, 35])).toBe(n)
  expect(flatIndex(unflatten(n, [2, 3, 5, 7]), [2, 3, 5, 7])).toBe(n)
  const flat = flatIndex([variable(i), variable(j)], [6, 35])
  expect(unflatten(flat, [6, 35])).toEqual([variable(i), variable(j)])
})

test('quotients and remainders of a remainder are those of what it is of', () => {
  const m = variable(new LoopVar('m', 256))
  expect(indexMod(indexMod(m, 128), 8)).toEqual(indexMod(m, 8))
  expect(flatIndex([indexDiv(m, 128), indexDiv(indexMod(m, 128), 8)], [2, 16])).toEqual(indexDiv(m, 8))
})

test('index arithmetic means what plain arithmetic does', () => {
  const leaf = fc.oneof(
    fc.constantFrom(variable(i), variable(j)),
    fc.integer({ min: -9, max: 9 }).map((c) => indexAdd(c)),
  )
  const tree: fc.Arbitrary<(at: ReadonlyMap<LoopVar, number>) => readonly [Expr, number]> = fc.letrec<{
    node: (at: ReadonlyMap<LoopVar, number>) => readonly [Expr, number]
  }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      leaf.map((x) => (at: ReadonlyMap<LoopVar, number>) => [x, evaluate(x, at)] as const),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => (at: ReadonlyMap<LoopVar, number>) => {
        const [[x, u], [y, v]] = [a(at), b(at)]
        return [indexAdd(x, y), u + v] as const
      }),
      fc.tuple(tie('node'), fc.integer({ min: -4, max: 8 })).map(([a, c]) => (at: ReadonlyMap<LoopVar, number>) => {
        const [x, u] = a(at)
        return [indexMul(x, c), u * c] as const
      }),
      fc.tuple(tie('node'), fc.integer({ min: 1, max: 12 })).map(([a, c]) => (at: ReadonlyMap<LoopVar, number>) => {
        const [x, u] = a(at)
        return [indexDiv(x, c), Math.floor(u / c)] as const
      }),
      fc.tuple(tie('node'), fc.integer({ min: 1, max: 12 })).map(([a, c]) => (at: ReadonlyMap<LoopVar, number>) => {
        const [x, u] = a(at)
        return [indexMod(x, c), u - c * Math.floor(u / c)] as const
      }),
    ),
  })).node
  fc.assert(
    fc.property(tree, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 34 }), (make, a, b) => {
      const at = new Map([
        [i, a],
        [j, b],
      ])
      const [x, value] = make(at)
      expect(evaluate(x, at) + 0).toBe(value + 0)
    }),
    { numRuns: 2000 },
  )
})

test('the coefficient of a variable is known where an index is linear in it', () => {
  const x = indexAdd(indexMul(variable(i), 35), variable(j), 4)
  expect(linearIn(x, i)).toEqual({ coefficient: 35, rest: indexAdd(variable(j), 4) })
  expect(linearIn(indexDiv(x, 4), j)).toBeUndefined()
  expect(linearIn(indexDiv(x, 35), i)?.coefficient).toBe(1)
})
