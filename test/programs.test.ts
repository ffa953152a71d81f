// Random programs under every transformation: what is staged, batched, linearised or transposed means what the program means.
import fc from 'fast-check'
import { type NDArray, checkJaxpr, checkpoint, grad, hvp, jit, jvp, linearize, makeJaxpr, np, vmap } from 'fluxion'
import { allClose, checkGrads, expectClose, programs } from '@fluxion/testing'
import { env } from 'node:process'
import { expect, test } from 'vitest'

const numRuns = env['FLUXION_FULL'] === '1' ? 500 : 40
const timeout = numRuns * 2000
const scalarOf = (f: (x: NDArray, y: NDArray) => NDArray) => (x: NDArray, y: NDArray) => np.sin(f(x, y)).sum()

test('a program gives the same bits under jit', { timeout }, () => {
  fc.assert(
    fc.property(programs(), ({ f, args }) => {
      expect(jit(f)(...args).dataSync()).toEqual(f(...args).dataSync())
    }),
    { numRuns },
  )
})

test('an exact program of exact numbers stays exact', { timeout }, () => {
  fc.assert(
    fc.property(programs({ exact: true }), ({ f, args }) => {
      const eighths = f(...args).mul(8)
      expect(eighths.dataSync()).toEqual(np.round(eighths).dataSync())
      expect(np.max(np.abs(eighths)).item()).toBeLessThanOrEqual(32)
    }),
    { numRuns },
  )
})

test('vmap of a program is a loop of it, with either argument batched or both', { timeout }, () => {
  fc.assert(
    fc.property(
      programs({ exact: true }),
      fc.constantFrom<[number | null, number | null]>([0, 0], [0, null], [null, -1]),
      ({ f, args: [x, y] }, inAxes) => {
        const rowsOf = (v: NDArray): NDArray[] => [v, np.flip(v), v.neg()]
        const [xs, ys] = [rowsOf(x), rowsOf(y)]
        const loop = np.stack([0, 1, 2].map((i) => f(inAxes[0] === null ? x : xs[i]!, inAxes[1] === null ? y : ys[i]!)))
        const batched = vmap(f, { inAxes })(
          inAxes[0] === null ? x : np.stack(xs),
          inAxes[1] === null ? y : np.stack(ys, { axis: inAxes[1] }),
        )
        expect(batched.dataSync()).toEqual(loop.dataSync())
      },
    ),
    { numRuns },
  )
})

test('derivatives of a smooth program are those of central differences', { timeout }, () => {
  fc.assert(
    fc.property(programs({ smooth: true, dtype: 'float64' }), ({ f, args }) => checkGrads(f, args, { order: 1 })),
    { numRuns },
  )
})
test('second derivatives of a smooth program are those of central differences', { timeout }, () => {
  fc.assert(
    fc.property(programs({ smooth: true, dtype: 'float64', depth: 1, steps: 3 }), ({ f, args }) => checkGrads(f, args)),
    { numRuns: numRuns / 2 },
  )
})
test('derivatives in one mode alone are those of central differences', { timeout }, () => {
  fc.assert(
    fc.property(programs({ smooth: true, dtype: 'float64', modes: ['rev'] }), ({ f, args }) =>
      checkGrads(f, args, { order: 1, modes: ['rev'] }),
    ),
    { numRuns },
  )
  fc.assert(
    fc.property(programs({ smooth: true, dtype: 'float64', modes: ['fwd'] }), ({ f, args }) =>
      checkGrads(f, args, { order: 1, modes: ['fwd'] }),
    ),
    { numRuns },
  )
})

test('grad of jit, jit of grad, linearize and the gradient of a batch agree', { timeout }, () => {
  fc.assert(
    fc.property(programs({ dtype: 'float64' }), ({ f, args: [x, y] }) => {
      const loss = scalarOf(f)
      const gradient = grad(loss)(x, y)
      expectClose(jit(grad(loss))(x, y), gradient)
      expectClose(grad(jit(loss))(x, y), gradient)
      expectClose(vmap(grad(loss))(np.stack([y, x]), np.stack([x, y])).get(1), gradient)
      expectClose(grad((a: NDArray) => vmap(loss)(np.stack([a, y]), np.stack([y, a])).get(0))(x), gradient)
      const [, tangent] = jvp(f, [x, y], [np.cos(x), y])
      expectClose(linearize(f, x, y)[1](np.cos(x), y), tangent)
      expectClose(linearize(jit(f), x, y)[1](np.cos(x), y), tangent)
    }),
    { numRuns },
  )
})

test('programs with rules for one mode alone keep to them under every composition', { timeout }, () => {
  fc.assert(
    fc.property(programs({ dtype: 'float64', modes: ['rev'] }), ({ f, args: [x, y] }) => {
      const loss = scalarOf(f)
      const gradient = grad(loss)(x, y)
      expectClose(jit(grad(loss))(x, y), gradient)
      expectClose(grad(jit(loss))(x, y), gradient)
      expectClose(jit(vmap(grad(jit(loss))))(np.stack([y, x]), np.stack([x, y])).get(1), gradient)
      expectClose(grad((a: NDArray) => jit(vmap(loss))(np.stack([a, y]), np.stack([y, a])).get(0))(x), gradient)
      expectClose(grad((a: NDArray) => checkpoint(loss)(a, y))(x), gradient)
    }),
    { numRuns },
  )
  fc.assert(
    fc.property(programs({ dtype: 'float64', modes: ['fwd'] }), ({ f, args: [x, y] }) => {
      const along = (g: typeof f, a: NDArray, b: NDArray): NDArray => jvp(g, [a, b], [np.cos(a), b])[1]
      const tangent = along(f, x, y)
      expectClose(along(jit(f), x, y), tangent)
      expectClose(jit((a: NDArray, b: NDArray) => along(f, a, b))(x, y), tangent)
      expectClose(vmap((a: NDArray, b: NDArray) => along(f, a, b))(np.stack([y, x]), np.stack([x, y])).get(1), tangent)
      expectClose(linearize(f, x, y)[1](np.cos(x), y), tangent)
      expectClose(
        jvp(
          (a: NDArray, b: NDArray) => vmap(jit(f))(np.stack([b, a]), np.stack([a, b])).get(1),
          [x, y],
          [np.cos(x), y],
        )[1],
        tangent,
      )
    }),
    { numRuns },
  )
})

test('forward over reverse agrees with reverse over forward', { timeout }, () => {
  fc.assert(
    fc.property(programs({ dtype: 'float64', depth: 1 }), ({ f, args: [x, y] }) => {
      const loss = (a: NDArray): NDArray => scalarOf(f)(a, y)
      const v = np.cos(x)
      const reverse = grad((a: NDArray) => jvp(loss, [a], [v])[1])(x)
      expectClose(hvp(loss, [x], [v]), reverse, { rtol: 1e-10, atol: 1e-10 })
    }),
    { numRuns },
  )
})

test('programs, their gradients and their batched versions pass the checker', { timeout }, () => {
  fc.assert(
    fc.property(programs(), ({ f, args: [x, y] }) => {
      checkJaxpr(makeJaxpr(f)(x, y))
      checkJaxpr(makeJaxpr(grad(scalarOf(f)))(x, y))
      checkJaxpr(makeJaxpr(vmap(f))(np.stack([x, y]), np.stack([y, x])))
      checkJaxpr(makeJaxpr(vmap(grad(scalarOf(f))))(np.stack([x, y]), np.stack([y, x])))
    }),
    { numRuns },
  )
})

test('a wrong derivative does not go unnoticed', () => {
  const property = fc.property(programs({ dtype: 'float64', smooth: true, depth: 0 }), ({ f, args: [x, y] }) =>
    allClose(grad(scalarOf(f))(x, y), grad((a: NDArray, b: NDArray) => scalarOf(f)(a, b).mul(1.001))(x, y)),
  )
  expect(fc.check(property, { numRuns: 50 }).failed).toBe(true)
})
