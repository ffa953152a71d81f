// Laws of jit: it traces once for each signature, changes no bit, and gives up the memory that was donated.
import { type NDArray, currentTrace, debug, grad, ioCallback, jit, lax, makeJaxpr, np, primitives, vmap } from 'fluxion'
import { expectClose } from '@fluxion/testing'
import { expect, test } from 'vitest'

test('a function is traced once for each structure, shape, dtype and weakness', () => {
  const f = jit((p: { x: NDArray }) => p.x.mul(2))
  const traces = (x: unknown): number => {
    f({ x: x as NDArray })
    return f.traces
  }
  expect(traces(np.zeros([2]))).toBe(1)
  expect(traces(np.ones([2]))).toBe(1)
  expect(traces(np.ones([3]))).toBe(2)
  expect(traces(np.ones([2], { dtype: 'float64' }))).toBe(3)
  expect(traces(2)).toBe(4)
  expect(traces(3)).toBe(4)
  expect(traces(np.array(3, { dtype: 'float32' }))).toBe(5)
  expect(traces([np.zeros([2])].at(0))).toBe(5)
  expect(traces(np.zeros([2]))).toBe(5)
})
test('structure counts: null, keys, tags', () => {
  const f = jit((t: unknown) => t as NDArray)
  for (const t of [null, undefined, [], {}, { a: null }, { _tag: 'None' }, { _tag: 'Some' }]) f(t as never)
  f({ _tag: 'Some' } as never)
  // null and undefined are the same empty node
  expect(f.traces).toBe(6)
})
test('static arguments count by value', () => {
  let runs = 0
  const f = jit(
    (x: NDArray, options: { mode: string; sizes: number[] }) => {
      runs++
      return options.mode === 'double' ? x.mul(options.sizes[0]!) : x
    },
    { staticArgnums: 1 },
  )
  const call = (options: { mode: string; sizes: number[] }): number => f(np.array(5), options).item()
  expect([
    call({ mode: 'double', sizes: [2] }),
    call({ mode: 'double', sizes: [2] }),
    call({ mode: 'double', sizes: [3] }),
    call({ mode: 'same', sizes: [2] }),
  ]).toEqual([10, 10, 15, 5])
  expect([runs, f.traces]).toEqual([3, 3])
  const g = jit((n: number, x: NDArray) => x.mul(n), { staticArgnums: [0] })
  expect([g(Number.NaN, np.array(1)).item(), g(Number.NaN, np.array(1)).item(), g.traces]).toEqual([
    Number.NaN,
    Number.NaN,
    1,
  ])
  const h = jit((x: NDArray, apply: (x: NDArray) => NDArray) => apply(x), { staticArgnums: -1 })
  expectClose([h(np.array(2), np.square), h(np.array(2), np.negative)], [np.array(4), np.array(-2)])
})
test('a jitted function that is transformed is not traced again', () => {
  const f = jit((x: NDArray) => np.sin(x).sum())
  const x = np.array([1, 2])
  f(x)
  grad(f)(x)
  grad(f)(x)
  vmap(f)(np.stack([x, x]))
  jit(grad(f))(x)
  expect(f.traces).toBe(1)
})
test('a cache that was cleared traces again', () => {
  const f = jit((x: NDArray) => x.add(1))
  f(1)
  f.clearCache()
  f(1)
  expect(f.traces).toBe(2)
})
test('the cache is bounded: the signature least recently used is forgotten first', () => {
  const f = jit((x: NDArray) => x.sum())
  const sizes = Array.from({ length: 140 }, (_, n) => n)
  for (const n of sizes) f(np.zeros([n]))
  expect(f.traces).toBe(140)
  f(np.zeros([139]))
  expect(f.traces).toBe(140)
  f(np.zeros([0]))
  expect(f.traces).toBe(141)
})
test('values of an outer trace may be closed over, and each trace gets its own', () => {
  const scaled = (w: NDArray): NDArray => {
    const inner = jit((x: NDArray) => x.mul(w))
    return inner(np.array([1, 2])).sum()
  }
  expectClose(
    [grad(scaled)(3), jit(scaled)(3), jit(grad(scaled))(3), vmap(scaled)(np.array([1, 2]))],
    [np.array(3), np.array(9), np.array(3), np.array([3, 6])],
  )
  let outer: NDArray | undefined
  const shared = jit((x: NDArray) => x.add(outer!))
  const first = jit((w: NDArray) => {
    outer = w
    return shared(np.ones([2]))
  })
  const second = jit((w: NDArray) => {
    outer = w.mul(2)
    return shared(np.ones([2]))
  })
  expectClose([first(1), second(1)], [np.array([2, 2]), np.array([3, 3])])
})
test('a donated buffer cannot be used again, unless it is the result', () => {
  const f = jit((x: NDArray, y: NDArray) => x.add(y), { donateArgnums: 0 })
  const [x, y] = [np.array([1, 2]), np.array([3, 4])]
  expectClose(f(x, y), [4, 6])
  expect(() => x.add(1)).toThrow('this array f32[2] was donated to a jitted function: it cannot be used again')
  expect(() => x.dataSync()).toThrow('cannot be used again')
  expectClose(y, [3, 4])
  const g = jit((p: { w: NDArray; n: NDArray }) => ({ w: p.w.add(1), n: p.n }), { donateArgnums: [0] })
  let state = { w: np.zeros([2]), n: np.array(7) }
  for (let i = 0; i < 3; i++) state = g(state)
  expectClose(state, { w: np.array([3, 3]), n: np.array(7) })
})
test('inline writes the operations themselves', () => {
  const text = (inline: boolean): string =>
    String(makeJaxpr((x: NDArray) => jit((y: NDArray) => np.sin(y), { inline })(x))(1))
  expect(text(false)).toMatch(/jit\[/)
  expect(text(true)).not.toMatch(/jit\[/)
})
test('lowering traces without running', () => {
  const f = jit((x: NDArray) => np.sin(x))
  expect(f.lower(np.zeros([2])).asText()).toBe('{ lambda ; a:f32[2]. let b:f32[2] = sin a in (b,) }')
  expect(f.traces).toBe(1)
})
test('jit and loops stage out operations on constants, grad alone does not', () => {
  const operations = (f: (x: NDArray) => NDArray): number => makeJaxpr(f)(1).jaxpr.equations.length
  expect(operations((x) => x.add(np.sin(np.array(1))))).toBe(2)
  let seen: number | undefined
  grad((x: NDArray) => {
    seen = np.sin(np.array(0)).item()
    return x.mul(2)
  })(1)
  expect(seen).toBe(0)
})
test('callbacks run inside compiled loops, in order', () => {
  const seen: number[] = []
  const f = jit((x: NDArray) =>
    lax.foriLoop(
      0,
      3,
      (i, c: NDArray) => {
        debug.callback((v: NDArray, k: NDArray) => seen.push(v.item() * 10 + k.item()), c, i)
        return c.mul(2)
      },
      x,
    ),
  )
  expect(f(1).item()).toBe(8)
  expect(seen).toEqual([10, 21, 42])
  f(1)
  expect(seen).toEqual([10, 21, 42, 10, 21, 42])
  const order: string[] = []
  const g = jit((x: NDArray) => {
    ioCallback((v: NDArray) => (order.push(`first ${v.item()}`), v), { shape: [], dtype: 'float32' }, x)
    ioCallback((v: NDArray) => (order.push(`second ${v.item()}`), v), { shape: [], dtype: 'float32' }, x.mul(2))
    return x
  })
  g(np.array(3))
  expect(order).toEqual(['first 3', 'second 6'])
})
test('a callback under vmap runs for each element', () => {
  const seen: number[] = []
  vmap((x: NDArray) => (debug.callback((v: NDArray) => seen.push(v.item()), x), x))(np.array([1, 2, 3]))
  expect(seen).toEqual([1, 2, 3])
})
test('every primitive can be found by name, and run', () => {
  const [out] = currentTrace().process(primitives.get('sin')!, [np.array(0)], {})
  expect(out!.item()).toBe(0)
})
