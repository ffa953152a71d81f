// Programs that run tile by tile mean the same as before, and what is worth tiling is.
import {
  type ClosedJaxpr,
  type Equation,
  type NDArray,
  type ScanParams,
  checkJaxpr,
  checkpoint,
  evalJaxpr,
  grad,
  jit,
  lax,
  makeJaxpr,
  nn,
  np,
  random,
  subprograms,
  valueAndGrad,
  vmap,
} from '@fluxion/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filled } from '../passes.testing.ts'
import { type Optimised, optimise } from '../pipeline.ts'
import type { TileLimits } from './size.ts'

/** Limits that the smallest programs reach. */
const small: TileLimits = { loops: 1, work: 1, cache: 0, tile: 1, rows: 2, byte: 0.1, share: 0, tiles: 2 }

/** All loops of a program that have loops inside, with how many steps they take. */
function nests({ jaxpr }: ClosedJaxpr): number[] {
  return jaxpr.equations.flatMap((equation: Equation) => {
    const inside = [...subprograms(equation.params)]
    const own =
      equation.primitive.name === 'scan' && inside.some((body) => body.jaxpr.equations.some(isScan))
        ? [(equation.params as ScanParams).length]
        : []
    return [...own, ...inside.flatMap(nests)]
  })
}
const isScan = ({ primitive }: Equation): boolean => primitive.name === 'scan'

const run = ({ program, captured }: Optimised, args: readonly NDArray[]): NDArray[] =>
  evalJaxpr(program, [...captured, ...args])
/** Demand that a program gives the same in tiles, and return how many steps its loops around loops take. */
function tiled(program: ClosedJaxpr, args: readonly NDArray[], limits: TileLimits = small, tolerance = 1e-9): number[] {
  const expected = run(optimise(program), args)
  const changed = optimise(program, { tiles: limits, check: (_, after) => checkJaxpr(after) })
  run(changed, args).forEach((x, i) => {
    expect([x.shape, x.dtype]).toEqual([expected[i]!.shape, expected[i]!.dtype])
    const [got, other] = [x.dataSync(), expected[i]!.dataSync()]
    got.forEach((value, k) => {
      const close = Object.is(value, other[k]) || Math.abs(value - other[k]!) <= tolerance * (1 + Math.abs(other[k]!))
      if (!close) expect.fail(`result ${i} at ${k}: ${value} instead of ${other[k]}`)
    })
  })
  return nests(changed.program)
}

type Params = readonly NDArray[]
/** Layers of leaky units, one feeding the next, with or without a matrix from each to itself; outputs are summed over steps. */
function network(layers: number, feedback: boolean) {
  return (params: Params, xs: NDArray): NDArray => {
    const width = 3
    const step = (state: Params, x: NDArray): [Params, NDArray] => {
      let input = x
      const next = state.map((v, i) => {
        const fired = np.tanh(v)
        const current = input.matmul(params[2 * i]!)
        input = fired
        const back = feedback ? fired.matmul(params[2 * i + 1]!) : fired.mul(params[2 * i + 1]!.get(0))
        return v.mul(0.9).add(current).add(back).sub(fired)
      })
      return [next, input]
    }
    const start = Array.from({ length: layers }, () => np.zeros([xs.shape[1]!, width], { dtype: 'float64' }))
    const [, outs] = lax.scan(step, start, xs)
    return outs
  }
}
const weights = (layers: number): Params => Array.from({ length: 2 * layers }, (_, i) => filled(3, 3).mul(0.3 + i / 10))
const labelsOf = (batch: number): NDArray => np.arange(batch).astype('int32').mod(3)

type Loss = (outs: NDArray, labels: NDArray) => NDArray
const losses: Readonly<Record<string, Loss>> = {
  crossEntropy: (outs, labels) =>
    nn
      .oneHot(labels, 3, { dtype: 'float64' })
      .mul(nn.logSoftmax(outs.sum({ axis: 0 })))
      .sum({ axis: 1 })
      .mean()
      .neg(),
  squares: (outs, labels) =>
    outs
      .max({ axis: 0 })
      .sub(nn.oneHot(labels, 3, { dtype: 'float64' }))
      .pow(2)
      .mean(),
  rates: (outs, labels) => losses['crossEntropy']!(outs, labels).add(outs.abs().sum().mul(0.01)),
  extremes: (outs) => outs.max().add(outs.min()).add(outs.mean()),
}

test.each(Object.keys(losses))('networks of any depth are tiled along their batch, with the loss %s', (name) => {
  for (const [layers, feedback, batch] of [
    [1, false, 4],
    [2, true, 6],
    [3, false, 5],
  ] as const) {
    const net = network(layers, feedback)
    const loss = (params: Params, xs: NDArray, labels: NDArray) => losses[name]!(net(params, xs), labels)
    const args = [...weights(layers), filled(7, batch, 3), labelsOf(batch)]
    const program = makeJaxpr(valueAndGrad(loss))(weights(layers), filled(7, batch, 3), labelsOf(batch))
    const tiles = tiled(program, args)
    const expected = { 1: 4, 2: 2, 3: 5 }[layers]
    // the transposed loop of what takes an extreme of all waits for it
    if (name === 'extremes') expect(tiles.every((length) => length === expected)).toBe(true)
    else expect(tiles).toEqual([expected])
  }
})

test('a batch of one, or one that nothing is cut along, stays as it is', () => {
  const loss = (params: Params, xs: NDArray) => network(1, true)(params, xs).pow(2).sum()
  const alone = makeJaxpr(grad(loss))(weights(1), filled(7, 1, 3))
  expect(tiled(alone, [...weights(1), filled(7, 1, 3)])).toEqual([])
})

test('training inside a loop over batches, whose order is made in the program, is tiled inside of the loop', () => {
  const loss = (params: Params, xs: NDArray, labels: NDArray) =>
    losses['crossEntropy']!(network(2, false)(params, xs), labels)
  const train = (params: Params, data: NDArray, labels: NDArray, key: NDArray) => {
    const epoch = (current: Params, own: NDArray): [Params, NDArray] => {
      const order = random.permutation(own, 12).reshape([3, 4])
      return lax.scan(
        (now: Params, rows: NDArray) => {
          const xs = np.swapaxes(data.get(rows), 0, 1)
          const [value, grads] = valueAndGrad(loss)(now, xs, labels.get(rows))
          return [now.map((p, i) => p.sub(grads[i]!.mul(0.1))), value] as [Params, NDArray]
        },
        current,
        order,
      )
    }
    return lax.scan(epoch, params, random.split(key, 2))
  }
  const [data, labels] = [filled(12, 5, 3), labelsOf(12)]
  const program = makeJaxpr(train)(weights(2), data, labels, random.key(1))
  const lengths = tiled(program, [...weights(2), data, labels, random.key(1)])
  // epochs, batches, tiles
  expect(lengths).toEqual([2, 3, 4])
})

test('where a mean over the batch stands in the middle, there is one region before and one after it', () => {
  const loss = (params: Params, xs: NDArray) => {
    const outs = network(1, true)(params, xs)
    const centred = outs.sub(outs.mean({ axis: 1, keepdims: true }))
    return network(1, true)(params, centred).pow(2).mean()
  }
  const args = [...weights(1), filled(5, 4, 3)]
  const program = makeJaxpr(loss)(weights(1), filled(5, 4, 3))
  expect(tiled(program, args)).toEqual([2, 2])
  tiled(makeJaxpr(valueAndGrad(loss))(weights(1), filled(5, 4, 3)), args)
})

test('what a region needs only after something has been put together is not computed before that', () => {
  // As where data are moved by a random number of places that depends on all labels.
  const loss = (params: Params, xs: NDArray, labels: NDArray) => {
    const spread = np.repeat(xs, 2, { axis: 2 }).mul(0.5)
    const start = labels.sum().mod(3)
    return network(1, true)(params, lax.dynamicSlice(spread, [0, 0, start], [5, 4, 3]))
      .pow(2)
      .mean()
  }
  const given = [weights(1), filled(5, 4, 3), labelsOf(4)] as const
  const program = makeJaxpr(grad(loss))(...given)
  expect(tiled(program, given.flat() as NDArray[])).toEqual([2])
  const { program: changed } = optimise(program, { tiles: small })
  const sizes = changed.jaxpr.equations.flatMap(({ outputs }) =>
    outputs.map((v) => (v === null ? 0 : v.aval.shape.at(-1))),
  )
  expect(sizes).not.toContain(6)
})

test('a mean over the batch at every step keeps its loop whole', () => {
  const program = makeJaxpr((xs: NDArray, h: NDArray) =>
    lax.scan(
      (s: NDArray, x: NDArray) => {
        const next = np.tanh(s.sub(s.mean({ axis: 0 })).add(x.matmul(filled(3, 3))))
        return [next, next] as [NDArray, NDArray]
      },
      h,
      xs,
    ),
  )(filled(5, 4, 3), filled(4, 3))
  tiled(program, [filled(5, 4, 3), filled(4, 3)])
})

test('mapped networks are tiled along the mapped axis or the batch', () => {
  const loss = (params: Params, xs: NDArray) => network(2, false)(params, xs).pow(2).mean()
  const all = vmap(valueAndGrad(loss), { inAxes: [null, 0] })
  const args = [...weights(2), filled(2, 5, 4, 3)]
  expect(tiled(makeJaxpr(all)(weights(2), filled(2, 5, 4, 3)), args).length).toBeGreaterThan(0)
})

test('evaluation in batches is tiled inside of each batch', () => {
  const program = makeJaxpr((params: Params, data: NDArray, labels: NDArray) =>
    lax.scan(
      (right: NDArray, [xs, own]: [NDArray, NDArray]) => {
        const found = np.argmax(network(1, true)(params, xs).sum({ axis: 0 }), { axis: 1 })
        return [right.add(found.eq(own).sum()), found] as [NDArray, NDArray]
      },
      np.array(0, { dtype: 'int32' }),
      [data, labels] as [NDArray, NDArray],
    ),
  )(weights(1), filled(2, 5, 4, 3), labelsOf(8).reshape([2, 4]))
  expect(tiled(program, [...weights(1), filled(2, 5, 4, 3), labelsOf(8).reshape([2, 4])])).toEqual([2, 2])
})

test('narrow floats are summed up wide over the tiles, and rounded once', () => {
  const loss = (w: NDArray, b: NDArray, xs: NDArray) => {
    const [, outs] = lax.scan(
      (s: NDArray, x: NDArray) => {
        const next = s.mul(0.5).add(x.matmul(w)).add(b)
        return [next, next] as [NDArray, NDArray]
      },
      np.zeros([64, 3], { dtype: 'float16' }),
      xs,
    )
    return outs.sum()
  }
  const [w, b, xs] = [filled(3, 3).astype('float16'), filled(3).astype('float16'), filled(4, 64, 3).astype('float16')]
  const program = makeJaxpr(valueAndGrad(loss, { argnums: [0, 1] }))(w, b, xs)
  // One unit in the last place: a sum of 64 rounded parts would be off by several.
  expect(tiled(program, [w, b, xs], small, 2 ** -10)).toEqual([64])
})

test('every combination of parts, with what no number may do to it', () => {
  const f = (xs: NDArray): NDArray[] => {
    const step = (s: NDArray, x: NDArray): [NDArray, NDArray] => [s.mul(0.5).add(x), s.add(x)]
    const [, outs] = lax.scan(step, np.zeros([4, 3], { dtype: 'float64' }), xs)
    const counts = outs.mul(100).astype('int8')
    return [
      ...[np.sum, np.prod, np.max, np.min].flatMap((reduce) => [reduce(outs, { axis: [0, 1] }), reduce(counts)]),
      np.all(outs.gt(-3), { axis: 1 }),
      np.any(outs.gt(3), { axis: 1 }),
      np.all(np.isfinite(outs)),
      np.sum(outs.gt(0)),
      lax.reduceXor(counts, [0, 1]),
      lax.reduceOr(counts, [1]),
      lax.reduceAnd(counts, [0, 1, 2]),
    ]
  }
  for (const [at, value] of [
    [0, 1],
    [0, NaN],
    [17, Infinity],
    [30, -Infinity],
  ] as const) {
    const xs = filled(5, 4, 3).ravel().at(at).set(value).reshape([5, 4, 3])
    expect(tiled(makeJaxpr(f)(xs), [xs])).toHaveLength(1)
  }
})

test('noise, effects and calls of the host stay outside of tiles', () => {
  const loss = (params: Params, xs: NDArray, key: NDArray) => {
    const noisy = xs.add(random.normal(key, xs.shape, { dtype: 'float64' }).mul(0.1))
    return network(1, true)(params, noisy).pow(2).mean()
  }
  const args = [...weights(1), filled(5, 4, 3), random.key(3)]
  expect(tiled(makeJaxpr(valueAndGrad(loss))(weights(1), filled(5, 4, 3), random.key(3)), args)).toEqual([2])
})

test('what is computed again for its gradient is so within a tile', () => {
  const loss = (params: Params, xs: NDArray) => checkpoint(network(2, true))(params, xs).pow(2).mean()
  const args = [...weights(2), filled(5, 4, 3)]
  expect(tiled(makeJaxpr(valueAndGrad(loss))(weights(2), filled(5, 4, 3)), args)).toEqual([2])
})

test('what is too small, or has no loop, is left as it is', () => {
  const loss = (params: Params, xs: NDArray) => jit(network(1, true))(params, xs).pow(2).mean()
  const program = makeJaxpr(grad(loss))(weights(1), filled(5, 4, 3))
  expect(tiled(program, [...weights(1), filled(5, 4, 3)], { ...small, work: 1e9 })).toEqual([])
  expect(tiled(program, [...weights(1), filled(5, 4, 3)], { ...small, cache: 1e9 })).toEqual([])
  const flat = makeJaxpr((x: NDArray, w: NDArray) => np.tanh(x.matmul(w)).sum({ axis: 0 }))(filled(4, 3), filled(3, 3))
  expect(optimise(flat, { tiles: small }).program.jaxpr.equations.some(isScan)).toBe(false)
})

test('tiles are as large as fits, and as many rows as a recurrence wants', () => {
  const lengths = (feedback: boolean, batch: number, limits: Partial<TileLimits>): number[] => {
    const loss = (params: Params, xs: NDArray) => network(1, feedback)(params, xs).pow(2).mean()
    const args = [...weights(1), filled(5, batch, 3)]
    return tiled(makeJaxpr(grad(loss))(weights(1), filled(5, batch, 3)), args, { ...small, ...limits })
  }
  expect(lengths(true, 24, { rows: 8, tiles: 8 })).toEqual([3])
  expect(lengths(true, 24, { rows: 8 })).toEqual([2])
  expect(lengths(true, 7, { rows: 8, tiles: 1 })).toEqual([])
  expect(lengths(false, 24, { tile: 1e9, tiles: 6 })).toEqual([6])
  // two tiles, and what is left, which is no loop
  expect(lengths(true, 23, { rows: 8, tiles: 8 })).toEqual([2])
  expect(lengths(false, 7, { tile: 1e9 })).toEqual([2])
  expect(lengths(false, 7, { tile: 1 })).toEqual([7])
  // so that not every unit reads all weights
  expect(lengths(false, 24, { tile: 1, share: 1e9, tiles: 4 })).toEqual([4])
})

test('random recurrent programs give the same in tiles', () => {
  const settings = fc.record({
    layers: fc.integer({ min: 1, max: 3 }),
    feedback: fc.boolean(),
    batch: fc.integer({ min: 1, max: 7 }),
    steps: fc.integer({ min: 1, max: 5 }),
    loss: fc.constantFrom(...Object.keys(losses)),
    mode: fc.constantFrom('value', 'grad', 'both'),
    rows: fc.integer({ min: 1, max: 4 }),
    tile: fc.constantFrom(1, 500, 1e9),
  })
  fc.assert(
    fc.property(settings, ({ layers, feedback, batch, steps, loss, mode, rows, tile }) => {
      const f = (params: Params, xs: NDArray, labels: NDArray) =>
        losses[loss]!(network(layers, feedback)(params, xs), labels)
      const wanted = { value: f, grad: grad(f), both: valueAndGrad(f) }[mode]
      const given = [weights(layers), filled(steps, batch, 3), labelsOf(batch)] as const
      tiled(makeJaxpr(wanted)(...given), given.flat() as NDArray[], { ...small, rows, tile })
    }),
    { numRuns: 8 },
  )
})
