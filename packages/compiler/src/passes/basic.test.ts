// Inlining, sharing and dropping: what each leaves alone matters as much as what it does.
import {
  type ClosedJaxpr,
  type NDArray,
  type ScanParams,
  type WhileParams,
  checkJaxpr,
  checkpoint,
  customJvp,
  debug,
  evalJaxpr,
  grad,
  jit,
  lax,
  np,
  printJaxpr,
  pureCallback,
} from '@fluxion/core'
import { expect, test } from 'vitest'
import { eliminateDead } from './dead.ts'
import { inline, openCheckpoints } from './inline.ts'
import { expectSame, filled, namesOf, trace } from './passes.testing.ts'
import { optimise, passes } from './pipeline.ts'
import { share } from './share.ts'

const only = (program: ClosedJaxpr, name: string) =>
  program.jaxpr.equations.find(({ primitive }) => primitive.name === name)!
const bodyOf = (program: ClosedJaxpr): ClosedJaxpr => (only(program, 'scan').params as ScanParams).jaxpr

test('calls are inlined at every depth, identities vanish, and weak values become strong', () => {
  const square = customJvp((x: NDArray) => x.mul(x))
  square.defjvp(([x], [t]) => [square(x), x.mul(t).mul(2)])
  const inner = jit((x: NDArray) => lax.stopGradient(square(x)).add(1))
  const f = (x: NDArray, xs: NDArray): NDArray =>
    lax.scan((c: NDArray, v: NDArray) => [inner(c).add(v), null] as [NDArray, null], x, xs)[0]
  const args = [filled(2), filled(3, 2)]
  const program = trace(f, args)
  const inlined = inline(program)
  checkJaxpr(inlined)
  expect(namesOf(bodyOf(inlined))).toEqual(['mul', 'add', 'add'])
  expectSame(program, inlined, args)
  expect(inline(trace((x) => x.mul(2), [np.asarray(1)])).jaxpr.outputs[0]!.aval.weakType).toBe(false)
})

test('arrays that bodies captured become inputs in front of all others, each once; captured scalars become numbers', () => {
  const table = filled(2)
  const scale = np.array([3], { dtype: 'float64' }).get(0)
  const inner = checkpoint((c: NDArray) => c.add(table))
  const f = (x: NDArray): NDArray => {
    const looped = lax.scan((c: NDArray) => [c.mul(table).mul(scale), null] as [NDArray, null], x, null, {
      length: 2,
    })[0]
    const chosen = lax.cond(
      x.sum().gt(0),
      (a: NDArray) => a.add(table),
      (a: NDArray) => a.mul(2),
      looped,
    )
    const last = lax.whileLoop(
      (c: NDArray) => c.sum().lt(table.sum()),
      (c: NDArray) => c.add(np.abs(table)).add(1),
      inner(chosen),
    )
    return last
  }
  const program = trace(f, [filled(2)])
  const { program: optimised, captured } = optimise(program)
  checkJaxpr(optimised)
  expect(captured).toEqual([table])
  expect(optimised.consts).toEqual([])
  expect(optimised.jaxpr.inputs.length).toBe(2)
  expect(printJaxpr(optimised)).toContain('3.0:f64[]')
  const [expected, got] = [evalJaxpr(program, [filled(2)]), evalJaxpr(optimised, [table, filled(2)])]
  expect(got[0]!.toArray()).toEqual(expected[0]!.toArray())
})

test('equal equations are shared, operands of sums and products in either order, programs inside by structure', () => {
  const step = (c: NDArray, x: NDArray): [NDArray, NDArray] => [np.sin(c).add(x), c]
  const f = (x: NDArray, xs: NDArray): NDArray[] => {
    const [a, b] = [lax.scan(step, x, xs)[0], lax.scan((c: NDArray, y: NDArray) => step(c, y), x, xs)[0]]
    return [a.add(x).mul(x.add(b)), x.sub(a), a.sub(x), np.sum(x, { axis: 0 }), np.sum(x)]
  }
  const args = [filled(2), filled(3, 2)]
  const program = inline(trace(f, args))
  const shared = share(program)
  checkJaxpr(shared)
  expect(namesOf(shared)).toEqual(['scan', 'add', 'mul', 'sub', 'sub', 'reduce_sum'])
  expectSame(program, shared, args)
})

test('neither effects nor calls of the host nor what a checkpoint computes again are shared', () => {
  const seen: number[] = []
  const f = (x: NDArray): NDArray => {
    debug.callback((v: NDArray) => seen.push(v.item()), x)
    debug.callback((v: NDArray) => seen.push(v.item()), x)
    const twice = (): NDArray => pureCallback((v: NDArray) => v, { shape: [], dtype: 'float64' }, x)
    return twice().add(twice())
  }
  const shared = share(inline(trace(f, [filled()])))
  expect(namesOf(shared)).toEqual(['debug_callback', 'debug_callback', 'pure_callback', 'pure_callback', 'add'])

  const deep = checkpoint((x: NDArray) => np.sin(np.sin(np.sin(x))))
  const gradient = trace(
    grad((x: NDArray) => deep(x).sum()),
    [filled(3)],
  )
  const count = (program: ClosedJaxpr, name: string): number =>
    namesOf(program).filter((other) => other === name).length
  const { program } = optimise(gradient)
  // The value is not asked for, so that the sines are those computed again: two of them, and the three cosines.
  expect([count(program, 'sin'), count(program, 'cos')]).toEqual([2, 3])
  const both = trace((x: NDArray) => [deep(x), grad((y: NDArray) => deep(y).sum())(x)], [filled(3)])
  expect(count(optimise(both).program, 'sin')).toBe(5)
  const merged = trace(
    (x: NDArray) => [np.sin(np.sin(np.sin(x))), grad((y: NDArray) => np.sin(np.sin(np.sin(y))).sum())(x)],
    [filled(3)],
  )
  expect(count(optimise(merged).program, 'sin')).toBe(3)
  expectSame(both, optimise(both).program, [filled(3)])
})

test('a checkpoint that lets common subexpressions be shared is inlined at once', () => {
  const f = checkpoint((x: NDArray) => np.sin(x), { preventCse: false })
  const program = trace((x) => f(x).add(np.sin(x)), [filled(3)])
  expect(namesOf(share(inline(program)))).toEqual(['sin', 'add'])
  const kept = trace((x) => checkpoint((y: NDArray) => np.sin(y))(x).add(np.sin(x)), [filled(3)])
  expect(namesOf(openCheckpoints(share(inline(kept))))).toEqual(['sin', 'sin', 'add'])
})

test('dead equations are dropped, calls of the host among them; effects are kept', () => {
  const seen: number[] = []
  const f = (x: NDArray): NDArray => {
    pureCallback((v: NDArray) => v, { shape: [], dtype: 'float64' }, x)
    debug.callback((v: NDArray) => seen.push(v.item()), np.exp(x))
    np.sin(x)
    return x.mul(2)
  }
  expect(namesOf(eliminateDead(inline(trace(f, [filled()]))))).toEqual(['exp', 'debug_callback', 'mul'])
})

test('carries, inputs and results of loops that nothing alive needs are dropped', () => {
  const f = (x: NDArray, y: NDArray, xs: NDArray): NDArray => {
    type Carry = [NDArray, NDArray, NDArray]
    // The second carry feeds the third alone, which nobody reads.
    const step = ([a, b, c]: Carry, v: NDArray): [Carry, [NDArray, NDArray]] => [
      [a.add(v), b.mul(y), b.add(c)],
      [np.sin(a), np.cos(c)],
    ]
    const [[a], [sines]] = lax.scan(step, [x, x, x] as Carry, xs)
    return a.add(sines.get(0))
  }
  const args = [filled(2), filled(2), filled(3, 2)]
  const program = inline(trace(f, args))
  const live = eliminateDead(program)
  checkJaxpr(live)
  expect(only(live, 'scan').params).toMatchObject({ numConsts: 0, numCarry: 1 })
  expect(namesOf(bodyOf(live))).toEqual(['add', 'sin'])
  expectSame(program, live, args)
})

test('carries of a while loop live on if its condition needs them', () => {
  type Carry = [NDArray, NDArray, NDArray]
  const f = (x: NDArray, y: NDArray): NDArray => {
    const step = ([i, a, b]: Carry): Carry => [i.add(1), a.mul(y), b.add(a)]
    return lax.whileLoop(([i]: Carry) => i.lt(3), step, [np.array(0, { dtype: 'int32' }), x, x] as Carry)[1]
  }
  const args = [filled(2), filled(2)]
  const program = inline(trace(f, args))
  const live = eliminateDead(program)
  checkJaxpr(live)
  expect((only(live, 'while').params as WhileParams).bodyJaxpr.jaxpr.outputs.length).toBe(2)
  expectSame(program, live, args)
})

test('branches lose results and operands that no branch is asked for', () => {
  const f = (x: NDArray, y: NDArray): NDArray =>
    lax.cond(
      x.sum().gt(0),
      (a: NDArray, b: NDArray) => [np.sin(a), np.cos(b)] as [NDArray, NDArray],
      (a: NDArray, b: NDArray) => [a, b] as [NDArray, NDArray],
      x,
      y,
    )[0]
  const args = [filled(2), filled(2)]
  const program = inline(trace(f, args))
  const live = eliminateDead(program)
  checkJaxpr(live)
  expect(only(live, 'cond').inputs.length).toBe(2)
  expectSame(program, live, args)
})

test('a pass that finds nothing to do hands the program back, and stages are told of those that did', () => {
  const { program } = optimise(trace((x) => np.sin(x), [filled(2)]))
  for (const [name, pass] of passes.slice(1)) expect(pass(program), name).toBe(program)
  const stages: string[] = []
  optimise(
    trace((x) => np.sin(x.mul(1)), [filled(2)]),
    { stages: (name, printed) => stages.push(`${name}: ${printed}`) },
  )
  expect(stages).toEqual([
    'inline: { lambda ; a:f64[2]. let b:f64[2] = mul a 1.0:f64[]; c:f64[2] = sin b in (c,) }',
    'simplify: { lambda ; a:f64[2]. let b:f64[2] = sin a in (b,) }',
  ])
})
