// Along which axes programs can be cut, and what their values are then.
import {
  type ClosedJaxpr,
  type NDArray,
  debug,
  grad,
  jit,
  lax,
  makeJaxpr,
  nn,
  np,
  random,
  valueAndGrad,
} from '@fluxion/core'
import { expect, test } from 'vitest'
import { derive, factorsOf, propagate } from './analysis.ts'
import type { Label } from './labels.ts'

const zeros = (...shape: number[]): NDArray => np.zeros(shape)
const show = (label: Label): string =>
  label.kind === 'split' ? `split ${label.dim}` : label.kind === 'partial' ? `partial ${label.combination}` : label.kind
/** Labels of results along the axis of these dimensions of inputs. */
const ends = (program: ClosedJaxpr, ...dims: (number | null)[]): string[] => propagate(program, dims).outputs.map(show)
/** Each operation with the labels of its results. */
function labelled(program: ClosedJaxpr, ...dims: (number | null)[]): string[] {
  const { labels } = propagate(program, dims)
  return program.jaxpr.equations.map(
    ({ primitive, outputs }) => `${primitive.name}: ${outputs.map((v) => v && show(labels.get(v)!)).join(', ')}`,
  )
}
/** The factors of the last operation of its kind. */
const factorsIn = (program: ClosedJaxpr, name: string) => {
  const found = factorsOf(program.jaxpr.equations.findLast(({ primitive }) => primitive.name === name)!)
  return found.map(({ operands, results, units }) => ({ operands, results, units }))
}

test('a product splits with its rows, sums over what is contracted, and leaves the other operand whole', () => {
  const program = makeJaxpr((x: NDArray, w: NDArray) => [x.matmul(w)])(zeros(8, 3), zeros(3, 2))
  expect(ends(program, 0, null)).toEqual(['split 0'])
  expect(ends(program, 1, null)).toEqual(['partial sum'])
  expect(ends(program, null, 1)).toEqual(['split 1'])
  expect(propagate(program, [0, null]).units).toBe(8)
})

test('linear operations keep partial sums, others wait for the whole', () => {
  const along = (f: (x: NDArray) => NDArray): string[] => labelled(makeJaxpr(f)(zeros(8, 3)), 0)
  expect(along((x) => x.sum({ axis: 0 }).div(8).neg())).toEqual([
    'reduce_sum: partial sum',
    'div: partial sum',
    'neg: partial sum',
  ])
  expect(along((x) => np.sin(x.sum({ axis: 0 })))).toEqual(['reduce_sum: partial sum', 'sin: whole'])
  // a number would be added once for each part
  expect(along((x) => x.sum({ axis: 0 }).add(1)).at(-1)).toBe('add: whole')
  expect(along((x) => x.sum({ axis: 0 }).add(np.zeros([3]))).at(-1)).toBe('add: partial sum')
  expect(along((x) => x.max({ axis: [0, 1] }))).toEqual(['reduce_max: partial max'])
})

test('what mixes the axis is computed from the whole, and what follows from it as well', () => {
  const centred = makeJaxpr((x: NDArray) => x.sub(x.mean({ axis: 0 })))(zeros(8, 3))
  expect(ends(centred, 0)).toEqual(['whole'])
  expect(ends(centred, 1)).toEqual(['split 1'])
  expect(ends(makeJaxpr((x: NDArray) => np.sort(x, { axis: 0 }))(zeros(8, 3)), 0)).toEqual(['whole'])
  expect(ends(makeJaxpr((x: NDArray) => x.matmul(x.T))(zeros(4, 4)), 0)).toEqual(['whole'])
})

test('values made of nothing are made by parts where they are used by parts', () => {
  const noisy = makeJaxpr((x: NDArray, key: NDArray) =>
    x.add(random.normal(key, [8, 3])).mul(np.arange(8).reshape([8, 1])),
  )(zeros(8, 3), random.key(0))
  expect(labelled(noisy, 0, null)).not.toContainEqual(expect.stringMatching(/replicated|whole/))
  expect(ends(noisy, 0, null)).toEqual(['split 0'])
})

test('one array of zeros serves two axes of the same size', () => {
  const program = makeJaxpr((x: NDArray, w: NDArray) => {
    const none = np.zeros([4, 3])
    return [x.add(none), w.add(none)]
  })(zeros(4, 3), zeros(4, 3))
  expect(ends(program, 0, null)).toEqual(['split 0', 'replicated'])
  expect(labelled(program, 0, null)[0]).toBe('broadcast_in_dim: replicated')
})

test('dimensions that become one are cut where both sides have whole pieces', () => {
  const program = makeJaxpr((x: NDArray) => x.reshape([3, 8]))(zeros(6, 4))
  expect(ends(program, 0)).toEqual(['split 0'])
  expect(propagate(program, [0]).units).toBe(3)
  expect(ends(program, 1)).toEqual(['whole'])
  const bytes = makeJaxpr((x: NDArray) => np.unpackbits(x, { axis: 1 }))(np.zeros([2, 3], { dtype: 'uint8' }))
  expect(propagate(bytes, [1])).toMatchObject({ units: 3, outputs: [{ kind: 'split', dim: 1 }] })
})

test('a scan splits its batch, gathers sums over it, and does not split its steps', () => {
  const program = makeJaxpr((w: NDArray, h: NDArray, total: NDArray, xs: NDArray) => {
    const [[state, sum], ys] = lax.scan(
      ([s, t]: [NDArray, NDArray], x: NDArray) => {
        const next = np.tanh(s.matmul(w)).add(x)
        return [[next, t.add(next.T.matmul(x))], next.sum({ axis: 1 })] as [[NDArray, NDArray], NDArray]
      },
      [h, total] as [NDArray, NDArray],
      xs,
    )
    return [state, sum, ys]
  })(zeros(3, 3), zeros(4, 3), zeros(3, 3), zeros(2, 4, 3))
  expect(factorsIn(program, 'scan')).toEqual([{ operands: [null, 0, 'sum', 1], results: [0, 'sum', 1], units: 4 }])
  // the sum starts from an array that is no zero: it would be added once for each part
  expect(ends(program, null, 0, null, null)).toEqual(['whole', 'whole', 'whole'])
})

test('a loop ends for all parts at once, and branches are taken by all', () => {
  const loop = (until: (x: NDArray) => NDArray) =>
    makeJaxpr((x: NDArray) =>
      lax.whileLoop(
        ([i, a]: [NDArray, NDArray]) => i.lt(until(a)),
        ([i, a]: [NDArray, NDArray]) => [i.add(1), np.sin(a)] as [NDArray, NDArray],
        [np.array(0), x] as [NDArray, NDArray],
      ),
    )(zeros(4, 3))
  expect(
    factorsIn(
      loop(() => np.array(3)),
      'while',
    ),
  ).toHaveLength(2)
  expect(
    factorsIn(
      loop((a) => a.max()),
      'while',
    ),
  ).toEqual([])
  const branches = makeJaxpr((p: NDArray, x: NDArray, y: NDArray) =>
    lax.cond(
      p,
      (a: NDArray, b: NDArray) => a.add(b),
      (a: NDArray) => np.sin(a),
      x,
      y,
    ),
  )(np.array(true), zeros(4, 3), zeros(4, 3))
  expect(ends(branches, null, 0, null)).toEqual(['split 0'])
})

test('what has effects is run once, as a whole', () => {
  const program = makeJaxpr((x: NDArray) => jit((a: NDArray) => (debug.print('{}', [a]), a.mul(2)))(x))(zeros(4))
  expect(ends(program, 0)).toEqual(['whole'])
  const aside = makeJaxpr((x: NDArray) => jit((a: NDArray) => (debug.print('once'), a.mul(2)))(x))(zeros(4))
  expect(factorsIn(aside, 'jit')).toEqual([])
})

test('the gradient of a deep recurrent network is partial sums of the batch, with nothing left to be done as a whole', () => {
  const network = (params: { w: NDArray; v: NDArray; u: NDArray }, xs: NDArray, labels: NDArray): NDArray => {
    const [, outs] = lax.scan(
      ([a, b]: [NDArray, NDArray], x: NDArray) => {
        const first = np.tanh(x.matmul(params.w).add(a.mul(0.9)))
        const second = np.tanh(first.matmul(params.v).add(b.matmul(params.u)))
        return [[first, second], second] as [[NDArray, NDArray], NDArray]
      },
      [np.zeros([8, 5]), np.zeros([8, 5])] as [NDArray, NDArray],
      xs,
    )
    const logits = nn.logSoftmax(outs.max({ axis: 0 }))
    return nn.oneHot(labels, 5).mul(logits).sum({ axis: 1 }).mean().neg()
  }
  const params = { w: zeros(6, 5), v: zeros(5, 5), u: zeros(5, 5) }
  const program = makeJaxpr(valueAndGrad(network))(params, zeros(7, 8, 6), np.zeros([8], { dtype: 'int32' }))
  const { outputs, units, labels } = propagate(program, [null, null, null, 1, null])
  expect(outputs.map(show)).toEqual(['partial sum', 'partial sum', 'partial sum', 'partial sum'])
  expect([...labels.values()].filter(({ kind }) => kind === 'whole')).toEqual([])
  expect(units).toBe(8)
})

test('two derivations of one program agree, and parts are programs of their own sizes', () => {
  const program = makeJaxpr((x: NDArray) => grad((y: NDArray) => np.sin(y).sum())(x))(zeros(6, 2))
  const avals = (list: readonly { readonly aval: NDArray['aval'] }[]) => list.map(({ aval }) => aval)
  const { inputs, outputs } = program.jaxpr
  const [rows] = derive(avals(inputs), avals(outputs), [{ program, inputs: [0], outputs: [0] }])
  expect(rows).toMatchObject({ operands: [0], results: [0], units: 6 })
  const part = rows!.parts((size) => [0, size / 3])[0]!
  expect(part.jaxpr.outputs.map(({ aval }) => aval.shape)).toEqual([[2, 2]])
})
