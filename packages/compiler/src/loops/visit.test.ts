// Walks over expressions keep what they do not replace, sharing and canonical indices included.
import { expect, test } from 'vitest'
import { add, f32, forLoop, i32, load, local, lt, max, mul, select, store, update, variable, when } from './build.ts'
import { indexAdd, indexDiv, indexMod, indexMul, linearIn } from './indices.ts'
import { Buffer, type Expr, Local, LoopVar, type ScalarFunction } from './ir.ts'
import { buffersOf, functionsOf, mapStatement, rewriting, substituting, walk, walkStatements } from './visit.ts'

const [i, j, n] = [new LoopVar('i', 4), new LoopVar('j', 6), new LoopVar('n', 24)]
const [x, y, z] = ['x', 'y', 'z'].map((name) => new Buffer(name, 'float32', 64)) as [Buffer, Buffer, Buffer]
const whole = new Buffer('whole', 'int32', 64)

test('replacing nothing gives the same object', () => {
  const place = indexAdd(indexMul(indexDiv(variable(n), 5), 3), variable(i), 1)
  const value = select(lt(load(x, place), f32(0)), f32(1), max(load(y, variable(j)), f32(2)))
  expect(rewriting(() => undefined)(value)).toBe(value)
  const statement = forLoop(j, [when(lt(value, f32(1)), [store(z, place, value)])])
  expect(mapStatement(statement, (part) => part)).toEqual(statement)
})

test('what is shared stays shared', () => {
  let value: Expr = load(x, variable(i))
  for (let count = 0; count < 60; count++) value = mul(value, value)
  const replaced = substituting(new Map([[i, variable(j)]]))(value)
  let parts = 0
  walk(replaced, () => parts++)
  expect(parts).toBe(62)
})

test('indices stay canonical: a quotient and a remainder join again', () => {
  const place = indexAdd(indexMul(variable(i), 12), indexMul(variable(j), 2), 1)
  const joined = substituting(
    new Map([
      [i, indexDiv(variable(n), 6)],
      [j, indexMod(variable(n), 6)],
    ]),
  )(place)
  expect(joined).toBe(indexAdd(indexMul(variable(n), 2), 1))
  expect(linearIn(joined, n)?.coefficient).toBe(2)
})

test('atoms of indices are rewritten, inside of quotients too', () => {
  const gathered = load(whole, variable(i))
  const place = indexAdd(indexDiv(indexAdd(gathered, variable(j)), 4), indexMul(gathered, 8))
  const at = new Local('at', 'i32')
  const rewritten = rewriting((part) => (part === gathered ? local(at) : undefined))(place)
  expect(rewritten).toBe(indexAdd(indexDiv(indexAdd(local(at), variable(j)), 4), indexMul(local(at), 8)))
})

test('locals are substituted where they are used', () => {
  const a = new Local('a', 'f32')
  expect(substituting(new Map([[a, f32(3)]]))(add(local(a), f32(1)))).toEqual(add(f32(3), f32(1)))
})

test('the buffers of a kernel are listed once, those that are read first', () => {
  const body = [
    store(z, variable(i), load(y, variable(i))),
    when(lt(load(x, i32(0)), f32(0)), [update(whole, i32(0), 'add', i32(1)), store(z, i32(0), f32(0))]),
  ]
  expect(buffersOf({ kind: 'nest', name: 'kernel', grid: [i], body })).toEqual([y, x, z, whole])
  const visited: string[] = []
  walkStatements(body, ({ op }) => visited.push(op))
  expect(visited).toEqual(['store', 'if', 'update', 'store'])
})

test('functions are listed after those that they call', () => {
  const p = new Local('p', 'f32')
  const call = (callee: ScalarFunction, arg: Expr): Expr => ({ op: 'call', type: 'f32', callee, args: [arg] })
  const inner: ScalarFunction = { name: 'inner', params: [p], body: [], result: local(p) }
  const outer: ScalarFunction = { name: 'outer', params: [p], body: [], result: call(inner, local(p)) }
  const body = [store(z, i32(0), call(outer, call(inner, f32(1))))]
  expect(functionsOf({ kind: 'nest', name: 'kernel', grid: [], body })).toEqual([inner, outer])
  const other = [store(z, i32(0), call(outer, f32(1)))]
  expect(functionsOf({ kind: 'nest', name: 'kernel', grid: [], body: other })).toEqual([inner, outer])
})
