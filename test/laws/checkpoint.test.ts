// Laws of checkpoint: it changes no value and no gradient, keeps what its policy says, and computes the rest again.
import {
  type CheckpointOptions,
  type ClosedJaxpr,
  type NDArray,
  checkpoint,
  checkpointName,
  grad,
  hvp,
  jit,
  jvp,
  lax,
  makeJaxpr,
  np,
  saveOnlyTheseNames,
  vmap,
} from 'fluxion'
import { checkGrads, expectClose } from '@fluxion/testing'
import { expect, test } from 'vitest'

const f = (w: NDArray, x: NDArray): NDArray => np.sin(w.matmul(checkpointName(np.sin(w.matmul(x)), 'inner')))
const [w, x] = [
  np.array(
    [
      [0.5, 1],
      [-1, 0.25],
    ],
    { dtype: 'float64' },
  ),
  np.array([1, 2], { dtype: 'float64' }),
]
const loss = (g: typeof f) => (v: NDArray, y: NDArray) => g(v, y).sum()

/** How often an operation stands in a program, loops and calls inside it included. */
function count(name: string, { jaxpr }: ClosedJaxpr): number {
  let found = 0
  for (const { primitive, params } of jaxpr.equations) {
    if (primitive.name === name) found++
    for (const value of Object.values(params))
      if (typeof value === 'object' && value !== null && 'jaxpr' in value) found += count(name, value as ClosedJaxpr)
  }
  return found
}
const policies: readonly (readonly [string, CheckpointOptions])[] = [
  ['no policy', {}],
  ['nothingSaveable', { policy: 'nothingSaveable' }],
  ['everythingSaveable', { policy: 'everythingSaveable' }],
  ['dotsSaveable', { policy: 'dotsSaveable' }],
  ['a name', { policy: saveOnlyTheseNames('inner') }],
]
test.each(policies)('%s: the same values and gradients, eagerly and under jit', (_, options) => {
  const g = checkpoint(f, options)
  expectClose(g(w, x), f(w, x))
  const expected = grad(loss(f), { argnums: [0, 1] })(w, x)
  expectClose(grad(loss(g), { argnums: [0, 1] })(w, x), expected)
  expectClose(jit(grad(loss(g), { argnums: [0, 1] }))(w, x), expected)
  expectClose(grad(jit(loss(g)), { argnums: [0, 1] })(w, x), expected)
  expectClose(jvp(g, [w, x], [w, x])[1], jvp(f, [w, x], [w, x])[1])
  expectClose(
    hvp((v: NDArray) => loss(g)(v, x), [w], [w]),
    hvp((v: NDArray) => loss(f)(v, x), [w], [w]),
  )
  const [ws, both] = [np.stack([w, w.mul(2)]), { argnums: [0, 1] as const }]
  vmap(grad(loss(g), both), { inAxes: [0, null] })(ws, x).forEach((gradient, i) =>
    expectClose(gradient, np.stack([w, w.mul(2)].map((v) => grad(loss(f), both)(v, x)[i]!))),
  )
  checkGrads(g, [w, x])
})
test('the gradient computes the function again, as far as its policy lets it', () => {
  const sines = (g: typeof f): number => count('sin', makeJaxpr(grad(loss(g)))(w, x))
  const plain = sines(f)
  expect(plain).toBe(2)
  const counted = policies.map(([name, options]) => [name, sines(checkpoint(f, options)) - plain])
  // the last sine's value is never needed for the gradient of a sum, so recomputing takes one sine: the inner one
  expect(Object.fromEntries(counted)).toEqual({
    'no policy': 1,
    nothingSaveable: 1,
    everythingSaveable: 0,
    dotsSaveable: 1,
    'a name': 0,
  })
})
test('products are computed again unless the policy keeps them', () => {
  const products = (g: typeof f): number => count('dot_general', makeJaxpr(grad(loss(g)))(w, x))
  const plain = products(f)
  expect(products(checkpoint(f))).toBe(plain + 2)
  expect(products(checkpoint(f, { policy: 'dotsSaveable' }))).toBe(plain)
  expect(products(checkpoint(f, { policy: 'dotsWithNoBatchDimsSaveable' }))).toBe(plain)
  // both cosines need the product before them
  expect(products(checkpoint(f, { policy: saveOnlyTheseNames('inner') }))).toBe(plain + 2)
})
test('the recomputation is marked, so that no compiler merges it with the first', () => {
  const text = String(makeJaxpr(grad(loss(checkpoint(f))))(w, x))
  expect(text).toContain('prevent_cse=True')
  expect(text).toContain('differentiated=True')
})
test('checkpoint inside a scan, and inside itself', () => {
  const body = checkpoint((v: NDArray, c: NDArray) =>
    np.sin(checkpoint((a: NDArray, b: NDArray) => np.tanh(a.matmul(b)))(v, c)),
  )
  const scanned = (v: NDArray, y: NDArray): NDArray =>
    lax.scan((c: NDArray) => [body(v, c), null] as [NDArray, null], y, null, { length: 3 })[0]
  checkGrads(scanned, [w, x])
  checkGrads(jit(scanned), [w, x], { order: 1 })
})
test('a checkpointed function may close over what is differentiated', () => {
  expectClose(
    grad((v: NDArray) => checkpoint((y: NDArray) => np.sin(v.matmul(y)).sum())(x))(w),
    grad((v: NDArray) => np.sin(v.matmul(x)).sum())(w),
  )
})
test('static arguments reach the function as they are', () => {
  const power = checkpoint((y: NDArray, n: number, { sign }: { sign: string }) => y.pow(n).mul(Number(`${sign}1`)), {
    staticArgnums: [1, -1],
  })
  expectClose(jit(grad((y: NDArray) => power(y, 3, { sign: '-' }).sum()))(x), x.pow(2).mul(-3))
})
