// Merged reductions mean what they meant apart.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { add, assign, load, local, mul, store, variable } from './build.ts'
import { indexAdd, indexMul } from './indices.ts'
import { interpretKernel } from './interpret.ts'
import { Buffer, type Expr, Local, LoopVar, type Nest, type Reduce, type Stmt } from './ir.ts'
import { type Tape, argumentsOf, tapes } from './kernels.testing.ts'
import { mergeReductions } from './mergeReductions.ts'
import { buffersOf } from './visit.ts'

const grid = [new LoopVar('i', 3)]
const inputs = ['a', 'b', 'c'].map((name) => new Buffer(name, 'int32', 12))
const out = new Buffer('out', 'int32', 3)
const at = (r: LoopVar): Expr => indexAdd(indexMul(variable(r), 3), variable(grid[0]!))
const sum = (into: Local, value: (r: LoopVar) => Expr, extent = 4): Reduce => {
  const r = new LoopVar('r', extent)
  return { op: 'reduce', variables: [r], accumulators: [{ into, combine: 'add', value: value(r) }] }
}
const nest = (body: readonly Stmt[]): Nest => {
  const kernel = { kind: 'nest', name: 'kernel', grid, body } as const
  return { ...kernel, params: buffersOf(kernel) }
}
const reductionsIn = (body: readonly Stmt[]): readonly Reduce[] => body.filter((s) => s.op === 'reduce')
const [a, b, c] = inputs as [Buffer, Buffer, Buffer]
const locals = (): Local[] => Array.from({ length: 6 }, (_, k) => new Local(`t${k}`, 'i32'))

test('reductions over one range that read the same elements become one', () => {
  const [s, t] = locals() as [Local, Local]
  const merged = mergeReductions([
    sum(s, (r) => mul(load(a, at(r)), load(b, at(r)))),
    sum(t, (r) => mul(load(b, at(r)), load(c, at(r)))),
  ]) as readonly Reduce[]
  expect(merged).toHaveLength(1)
  const loads = merged[0]!.accumulators.flatMap(({ value }) => (value.op === 'binary' ? [value.x, value.y] : []))
  expect(new Set(loads).size).toBe(3)
})

test('reductions that share nothing, run over other ranges, or need each other stay apart', () => {
  const [s, t] = locals() as [Local, Local]
  const first = sum(s, (r) => load(a, at(r)))
  const apart = [
    sum(t, (r) => load(b, at(r))),
    sum(t, (r) => load(a, at(r)), 3),
    sum(t, (r) => mul(load(a, at(r)), local(s))),
  ]
  for (const second of apart) expect(mergeReductions([first, second])).toEqual([first, second])
})

/** Reductions, assignments and stores that need each other now and then. */
function randomBody(tape: Tape): Stmt[] {
  const free = locals()
  const known: Local[] = []
  const body: Stmt[] = []
  const scalar = (): Expr =>
    known.length > 0 && tape.below(3) === 0 ? local(tape.pick(known)) : load(c, variable(grid[0]!))
  for (const into of free) {
    switch (tape.below(4)) {
      case 0:
        body.push(assign(into, add(scalar(), scalar())))
        break
      case 1:
        body.push(store(tape.pick([out, a]), variable(grid[0]!), scalar()))
        continue
      default:
        body.push(
          sum(into, (r) => {
            const x = mul(load(tape.pick(inputs), at(r)), load(tape.pick(inputs), at(r)))
            return tape.below(3) === 0 ? add(x, scalar()) : x
          }),
        )
    }
    known.push(into)
  }
  return [...body, ...known.map((x, k) => store(new Buffer(`o${k}`, 'int32', 3), variable(grid[0]!), local(x)))]
}
test('a kernel does the same before and after', () => {
  let fewer = 0
  fc.assert(
    fc.property(tapes, (tape) => {
      const body = randomBody(tape)
      const after = mergeReductions(body)
      const [kernel, other] = [nest(body), nest(after)]
      const before = argumentsOf(kernel)
      // Merging may change the order of the parameters.
      const given = new Map(kernel.params.map((buffer, k) => [buffer, before[k]!.slice()]))
      const now = other.params.map((buffer) => given.get(buffer)!)
      interpretKernel(kernel, before)
      interpretKernel(other, now)
      kernel.params.forEach((buffer, k) => expect(given.get(buffer)).toEqual(before[k]))
      if (reductionsIn(after).length < reductionsIn(body).length) fewer++
    }),
    { numRuns: 300 },
  )
  expect(fewer).toBeGreaterThan(50)
})
