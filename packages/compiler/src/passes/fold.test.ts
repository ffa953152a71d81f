// What is computed beforehand, and what is too large for that.
import { type NDArray, evalJaxpr, lax, np, random } from '@fluxion/core'
import { expect, test } from 'vitest'
import { foldConstants } from './fold.ts'
import { inline } from './inline.ts'
import { filled, namesOf, trace } from './passes.testing.ts'
import { optimise } from './pipeline.ts'

const i32 = (...list: number[]): NDArray => np.array(list, { dtype: 'int32' })
const run = (f: (...args: NDArray[]) => NDArray, args: readonly NDArray[]) => {
  const traced = trace(f, args)
  const { program, captured } = optimise(traced)
  expect(evalJaxpr(program, [...captured, ...args])[0]!.toArray()).toEqual(evalJaxpr(traced, args)[0]!.toArray())
  return { names: namesOf(program), captured }
}

test('arithmetic on small captured arrays is done beforehand', () => {
  const { names, captured } = run((x) => x.get(i32(0, -1)), [filled(4)])
  expect(names).toEqual(['gather'])
  expect(captured.map((value) => value.toArray())).toEqual([[[0], [3]]])
})

test('captured arrays above 1 KiB are not looked at, and results above it not made', () => {
  const [small, large] = [np.ones([256]), np.arange(257).astype('float32')]
  expect(run((x) => x.add(large.mul(2)), [np.zeros([257])]).names).toEqual(['mul', 'add'])
  expect(run((x) => x.add(small.mul(2)), [np.zeros([256])])).toMatchObject({ names: ['add'], captured: [] })
  expect(run((x) => x.add(np.outer(filled(20), filled(20))), [filled(20, 20)]).names).toContain('mul')
})

test('what only counts is made by the program itself, what takes more is made beforehand', () => {
  expect(run((x) => x.add(np.arange(3).mul(2)), [filled(3)]).names).toContain('iota')
  expect(run((x) => x.add(random.normal(random.key(0), [3]).astype('float64')), [filled(3)]).names).toEqual(['add'])
  expect(run((x) => x.add(np.sort(np.array([3, 1, 2]))), [filled(3)]).names).toEqual(['add'])
})

test('operations of several results are kept if one result is', () => {
  const f = (x: NDArray): NDArray => {
    const [low, high] = np.split(np.arange(4), 2) as [NDArray, NDArray]
    return x.add(low).mul(high)
  }
  run(f, [filled(2)])
})

test('operations on numbers alone are numbers, loops over them too in the end', () => {
  expect(run((x) => x.mul(np.exp(np.array(0)).add(1)), [filled(2)]).names).toEqual(['mul'])
  const f = (x: NDArray): NDArray =>
    lax.scan((c: NDArray) => [c.add(np.sort(np.array([2, 1])).get(0)), null] as [NDArray, null], x, null, {
      length: 3,
    })[0]
  expect(run(f, [np.array(1)]).names).toEqual(['scan'])
})

test('a folded program is not folded again', () => {
  const program = foldConstants(inline(trace((x) => x.get(i32(0, -1)).add(np.ones([2]).mul(3)), [filled(4)])))
  expect(foldConstants(program)).toBe(program)
})
