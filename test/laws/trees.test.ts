// Laws of trees: they come apart and together again, and pass through every transformation as they are.
import fc from 'fast-check'
import {
  type NDArray,
  checkpoint,
  evalShape,
  grad,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  np,
  tree,
  vjp,
  vmap,
} from 'fluxion'
import { arrays, expectClose, trees } from '@fluxion/testing'
import { expect, test } from 'vitest'

const numbers = trees(fc.integer())
const arrayTrees = trees(arrays({ shape: [2], dtype: 'float32', dyadic: true }), { depth: 2 })
const same = (actual: unknown, expected: unknown): void => expectClose(actual, expected, { rtol: 0, atol: 0 })
/** The sum of squares of all leaves, whose gradient is twice the tree. */
const energy = (t: unknown): NDArray => tree.reduce((sum, leaf) => sum.add(leaf.mul(leaf).sum()), t, np.array(0))
const doubled = (t: unknown): unknown => tree.map((leaf: NDArray) => leaf.mul(2), t)

test('unflatten undoes flatten', () => {
  fc.assert(
    fc.property(numbers, (t) => {
      const [leaves, def] = tree.flatten(t)
      expect(tree.unflatten(def, leaves)).toStrictEqual(t)
      expect(def.leaves).toBe(leaves.length)
    }),
  )
})
test('flatten undoes unflatten', () => {
  fc.assert(
    fc.property(numbers, (t) => {
      const def = tree.structure(t)
      const leaves = Array.from({ length: def.leaves }, (_, i) => i)
      const [again, defAgain] = tree.flatten(tree.unflatten(def, leaves))
      expect(again).toEqual(leaves)
      expect(defAgain.equals(def)).toBe(true)
    }),
  )
})
test('structures are equal exactly when the trees differ in leaves alone', () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const equal = tree.structure(a).equals(tree.structure(b))
      const swapped = (): unknown => tree.map((x: NDArray) => x, a, b)
      if (equal) expect(swapped()).toStrictEqual(a)
      else expect(swapped).toThrow('the trees differ in structure')
    }),
  )
})
test('map keeps composition and identity', () => {
  fc.assert(
    fc.property(numbers, (t) => {
      const [f, g] = [(x: unknown) => Number(x) + 1, (x: unknown) => Number(x) * 3]
      expect(tree.map((x) => x, t)).toStrictEqual(t)
      expect(tree.map((x) => g(f(x)), t)).toStrictEqual(tree.map(g, tree.map(f, t)))
    }),
  )
})
test('a tree that is given to jit, checkpoint, vmap or evalShape comes out the same', () => {
  fc.assert(
    fc.property(arrayTrees, (t) => {
      same(jit((x: unknown) => x as NDArray)(t as NDArray), t)
      same(checkpoint((x: unknown) => x as NDArray)(t as NDArray), t)
      expect(tree.structure(evalShape((x: unknown) => x as NDArray, t as NDArray)).leaves).toBeGreaterThanOrEqual(
        tree.structure(t).leaves,
      )
      if (tree.leaves(t).length > 0) same(vmap((x: unknown) => x as NDArray)(t as NDArray), t)
    }),
    { numRuns: 50 },
  )
})
test('a gradient is a tree like the argument', () => {
  fc.assert(
    fc.property(arrayTrees, (t) => {
      same(grad(energy as (t: NDArray) => NDArray)(t as NDArray), doubled(t))
      same(jit(grad(energy as (t: NDArray) => NDArray))(t as NDArray), doubled(t))
      const [, pullback] = vjp(energy as (t: NDArray) => NDArray, t as NDArray)
      same(pullback(1)[0], doubled(t))
      same(jacrev(energy as (t: NDArray) => NDArray)(t as NDArray), doubled(t))
    }),
    { numRuns: 50 },
  )
})
test('tangents are trees like their primals', () => {
  fc.assert(
    fc.property(arrayTrees, (t) => {
      const f = (x: unknown): { twice: unknown } => ({ twice: doubled(x) })
      const [out, tangent] = jvp(f as (x: NDArray) => { twice: NDArray }, [t as NDArray], [t as NDArray])
      same(out, f(t))
      same(tangent, f(t))
      same(linearize(f as (x: NDArray) => { twice: NDArray }, t as NDArray)[1](t as NDArray), f(t))
    }),
    { numRuns: 50 },
  )
})
test('a carry of any structure goes through a scan, a loop and a condition', () => {
  fc.assert(
    fc.property(arrayTrees, (t) => {
      const carry = t as NDArray
      const [last, all] = lax.scan((c: NDArray) => [doubled(c) as NDArray, c] as [NDArray, NDArray], carry, null, {
        length: 2,
      })
      same(last, doubled(doubled(t)))
      same(
        all,
        tree.map((leaf: NDArray) => np.stack([leaf, leaf.mul(2)]), t),
      )
      same(
        lax.foriLoop(0, 2, (_, c: NDArray) => doubled(c) as NDArray, carry),
        doubled(doubled(t)),
      )
      same(
        lax.cond(
          true,
          (c: NDArray) => c,
          (c: NDArray) => doubled(c) as NDArray,
          carry,
        ),
        t,
      )
      same(
        lax.whileLoop(
          () => np.array(false),
          (c: NDArray) => c,
          carry,
        ),
        t,
      )
    }),
    { numRuns: 50 },
  )
})
