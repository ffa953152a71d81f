// The helpers themselves: that they accept what is right, and refuse what is not with a message that leads there.
import fc from 'fast-check'
import {
  type Jaxpr,
  type NDArray,
  checkJaxpr,
  customJvp,
  customVjp,
  dtypes as known,
  grad,
  isFloat,
  makeJaxpr,
  np,
  subprograms,
  tree,
} from '@fluxion/core'
import { expect, test } from 'vitest'
import {
  RegisteredNode,
  allClose,
  arrays,
  checkGrads,
  dtypes,
  expectClose,
  programs,
  shapes,
  trees,
  typedPrograms,
} from './index.ts'

test('arrays have the shape and dtype asked for, and finite elements in range', () => {
  fc.assert(
    fc.property(shapes(), dtypes(), (shape, dtype) => {
      const [x] = fc.sample(arrays({ shape, dtype, min: 0, max: 7 }), { numRuns: 1, seed: 3 }) as [NDArray]
      expect([x.shape, x.dtype]).toEqual([shape, dtype])
      for (const value of x.dataSync()) expect(value).toSatisfy((v: number) => v >= 0 && v <= 7)
    }),
  )
})

test('dyadic arrays hold multiples of an eighth', () => {
  fc.assert(
    fc.property(arrays({ dtype: dtypes('float'), dyadic: true }), (x) => {
      for (const value of x.dataSync()) expect(Number.isInteger(value * 8) && Math.abs(value) <= 4).toBe(true)
    }),
  )
})

test('shapes keep to their bounds', () => {
  fc.assert(
    fc.property(shapes({ minRank: 1, maxRank: 2, maxSize: 3, zeros: false }), (shape) => {
      expect(shape.length >= 1 && shape.length <= 2 && shape.every((dim) => dim >= 1 && dim <= 3)).toBe(true)
    }),
  )
})

test('dtypes are of the kinds asked for', () => {
  const seen = new Set(fc.sample(dtypes('float'), { numRuns: 200, seed: 1 }))
  expect([...seen].toSorted()).toEqual(
    Object.keys(known)
      .filter((dtype) => isFloat(dtype as 'float32'))
      .toSorted(),
  )
})

test('trees contain nodes of every kind', () => {
  const kinds = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node === 'number') kinds.add('leaf')
    else if (node === null || node === undefined) kinds.add(String(node))
    else if (node instanceof RegisteredNode) {
      kinds.add('registered')
      node.children.forEach(visit)
    } else {
      kinds.add(Array.isArray(node) ? 'list' : Object.hasOwn(node, '_tag') ? 'tagged' : 'dict')
      Object.values(node)
        .filter((child) => typeof child !== 'string')
        .forEach(visit)
    }
  }
  fc.sample(trees(fc.integer()), { numRuns: 300, seed: 1 }).forEach(visit)
  expect([...kinds].toSorted()).toEqual(['dict', 'leaf', 'list', 'null', 'registered', 'tagged', 'undefined'])
})

test('programs show the operations that they run', () => {
  const [program] = fc.sample(programs({ depth: 1 }), { numRuns: 1, seed: 5 })
  expect(String(program)).toMatch(/^v0 = Array\(\[.*\n(v1 = .*\n)v2 = \w+\(v\d, v\d, v\d\)/)
})

test('allClose compares structure, shape and dtype exactly, and elements with the tolerance of the dtype', () => {
  const x = np.array([1, 2, 3])
  expect(allClose(x, np.array([1, 2, 3.00001]))).toBe(true)
  expect(allClose(x, np.array([1, 2, 3.001]))).toBe(false)
  expect(allClose(x, np.array([1, 2, 3.001]), { rtol: 1e-2 })).toBe(true)
  expect(allClose(x, x.astype('float64'))).toBe(false)
  expect(allClose(x, x.reshape([3, 1]))).toBe(false)
  expect(allClose(x.astype('int32'), [1, 2, 3])).toBe(true)
  expect(allClose(x.astype('int32'), np.array([1, 2, 4], { dtype: 'int32' }))).toBe(false)
  expect(allClose({ a: x }, [x])).toBe(false)
  expect(allClose({ a: x, b: [x] }, { a: x, b: [x] })).toBe(true)
  expect(allClose(np.array([Number.NaN, Infinity]), [Number.NaN, Infinity])).toBe(true)
  expect(allClose(np.array([Infinity]), [-Infinity])).toBe(false)
  expect(allClose(np.array([1]), [Number.NaN])).toBe(false)
  expect(allClose(np.array([true]), [true])).toBe(true)
})

test('expectClose leads to the element that differs', () => {
  const actual = {
    w: np.array([
      [1, 2],
      [3, 4],
    ]),
  }
  expect(() =>
    expectClose(actual, {
      w: np.array([
        [1, 2],
        [5, 4],
      ]),
    }),
  ).toThrow('expectClose: expected 5 at .w[1,0], got 3 (rtol 0.00001, atol 0.00001)')
  expect(() => expectClose(actual, { w: np.array([1, 2]) })).toThrow('expectClose: expected f32[2] at .w, got f32[2,2]')
  expect(() => expectClose(np.array([1, 2]), [3, 4])).toThrow(
    'expected 3 at [0], got 1 (rtol 0.00001, atol 0.00001), and 1 more of 2 elements differ',
  )
  expect(() => expectClose(np.array(1), 2)).toThrow('expected 2 at the root, got 1')
  expect(() => expectClose(actual, [])).toThrow('expected a tree')
})

test('checkGrads accepts derivatives of trees, and holds integers fixed', () => {
  const f = ({ w, b }: { w: NDArray; b: NDArray }, n: NDArray) => ({ y: np.tanh(w.matmul(b)).mul(n), count: n })
  checkGrads(f, [{ w: np.ones([2, 3]), b: np.array([1, 2, 3]) }, np.array(2, { dtype: 'int32' })])
})

/** x² with a derivative that is wrong by the factor given. */
const wrongJvp = (factor: number) => {
  const f = customJvp((x: NDArray) => x.mul(x))
  f.defjvp(([x], [t]) => [f(x), t.mul(x).mul(2 * factor)])
  return f
}
test('checkGrads says where a forward derivative is wrong', () => {
  checkGrads(wrongJvp(1), [np.array([1, 2])])
  const f = (p: { a: NDArray }) => ({ out: wrongJvp(1.001)(p.a) })
  expect(() => checkGrads(f, [{ a: np.array([1, 2]) }])).toThrow(
    /^checkGrads, order 1: forward mode gives the derivative of result \.out\[0\] along argument 0\.a as .* central differences/,
  )
})
test('checkGrads says where a reverse derivative is wrong', () => {
  const f = customVjp((x: NDArray, y: NDArray) => x.mul(y))
  f.defvjp(
    (x, y) => [f(x, y), [x, y] as [NDArray, NDArray]],
    ([x, y], ct) => [ct.mul(y), ct.mul(x).mul(1.001)],
  )
  expect(() => checkGrads(f, [np.array([1, 2]), np.array([3, 4])], { modes: ['rev'] })).toThrow(
    'reverse mode gives the cotangent of argument 1 along a direction',
  )
})
test('checkGrads finds an error that only second derivatives show', () => {
  const f = customJvp((x: NDArray) => np.sin(x))
  // right at first order; the cosine in it has no derivative
  const cosine = customJvp((x: NDArray) => np.cos(x))
  cosine.defjvp(([x], [t]) => [cosine(x), t.mul(0)])
  f.defjvp(([x], [t]) => [f(x), t.mul(cosine(x))])
  checkGrads(f, [np.array([1, 2])], { order: 1 })
  expect(() => checkGrads(f, [np.array([1, 2])])).toThrow(/^checkGrads, order 2, of the/)
})

test('leavesWithPath names every leaf of a tree', () => {
  expect(tree.leavesWithPath({ layers: [{ w: 1 }], 'a b': 2 }).map(([path]) => path)).toEqual(['.a b', '.layers[0].w'])
})

/** The primitives of a program, those of programs inside it too. */
function primitivesOf({ equations }: Jaxpr, into: Set<string>): Set<string> {
  for (const { primitive, params } of equations) {
    into.add(primitive.name)
    for (const program of subprograms(params)) primitivesOf(program.jaxpr, into)
  }
  return into
}
test('typed programs pass the checker, and give what their types say', () => {
  fc.assert(
    fc.property(typedPrograms(), ({ f, args }) => {
      const program = makeJaxpr(f)(...args)
      checkJaxpr(program)
      expect(f(...args).map(({ aval }) => aval)).toEqual(program.jaxpr.outputs.map(({ aval }) => aval))
    }),
  )
})
test('exact typed programs stay with multiples of an eighth, the others with small numbers', () => {
  const magnitudes = (exact: boolean): number[] =>
    fc
      .sample(typedPrograms({ exact }), { numRuns: 100, seed: 7 })
      .flatMap(({ f, args }) => f(...args).filter(({ dtype }) => isFloat(dtype)))
      .flatMap((x) => [...x.dataSync()])
  for (const value of magnitudes(true)) expect(Number.isInteger(value * 8) && Math.abs(value) <= 4).toBe(true)
  for (const value of magnitudes(false)) expect(Math.abs(value)).toBeLessThan(100)
})
test('typed programs have loops, conditions, custom rules, products, folds and orders', () => {
  const seen = new Set<string>()
  for (const { f, args } of fc.sample(typedPrograms({ exact: true }), { numRuns: 400, seed: 3 }))
    primitivesOf(makeJaxpr(f)(...args).jaxpr, seen)
  const expected =
    'scan while cond jit remat2 custom_jvp_call custom_vjp_call dot_general conv_general_dilated reduce_sum reduce_max cumsum sort top_k gather scatter scatter-add dynamic_slice dynamic_update_slice transpose reshape concatenate pad rev random_bits'
  expect(expected.split(' ').filter((name) => !seen.has(name))).toEqual([])
})
test('typed programs that must be differentiable are', () => {
  fc.assert(
    fc.property(typedPrograms({ modes: ['fwd', 'rev'], dtypes: ['float64'], depth: 1 }), ({ f, args }) => {
      const total = (...xs: NDArray[]): NDArray =>
        f(...xs)
          .map((out) => (isFloat(out.dtype) ? out.astype('float64').sum() : np.zeros([], { dtype: 'float64' })))
          .reduce((a, b) => a.add(b))
      for (const gradient of grad(total, { argnums: args.map((_, i) => i) })(...args))
        for (const value of gradient.dataSync()) expect(Number.isFinite(value)).toBe(true)
    }),
    { numRuns: 50 },
  )
})
test('typed programs show the operations that they run, with types and parameters', () => {
  const shown = fc
    .sample(typedPrograms({ depth: 1 }), { numRuns: 20, seed: 5 })
    .map(String)
    .join('\n')
  expect(shown).toMatch(/^v0 = Array\(/)
  expect(shown).toMatch(/\nv\d+: \w+\[[\d,]*\] = \w+\(v\d/)
  expect(shown).toMatch(/\n  \(v\d+: \w+\[[\d,]*\].*\) =>\n/)
  expect(shown).toMatch(/\nreturn v\d/)
})
