/** Transformations one after another: `chain`, and the monoid that it makes. */
import { OptionError, TreeError, misuse } from '@fluxion/core'
import type { Monoid } from 'fp-ts/lib/Monoid.js'
import { type Transformation, identity } from './transformation.ts'

/**
 * Apply transformations one after another: the updates of each are the gradients of the next. The state is the list of their states;
 * a chain of nothing is the identity.
 *
 * @throws TreeError if `update` is given the state of another chain
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { chain, clip, scale } from '@fluxion/optim'
 * const halved = chain(clip(1), scale(-0.5))
 * const params = { w: np.array([1, 2]) }
 * halved.init(params) // => [null, null]
 * halved.update({ w: np.array([0.5, 8]) }, [null, null])[0] // => { w: [-0.25, -0.5] }
 * ```
 */
export function chain<S extends readonly unknown[]>(
  ...parts: { [K in keyof S]: Transformation<S[K]> }
): Transformation<S> {
  const list = parts as readonly Transformation[]
  return {
    init: (params) => list.map((part) => part.init(params)) as readonly unknown[] as S,
    update<P>(grads: P, state: S, params?: NoInfer<P>): [P, S] {
      if (!Array.isArray(state) || state.length !== list.length) {
        const got = Array.isArray(state) ? String(state.length) : `a state that is no list`
        throw new TreeError(
          misuse('chain', `${list.length} states, one for each transformation`, got, 'optimiser.init(params)'),
        )
      }
      let updates = grads
      const states = list.map((part, i) => {
        const [next, after] = part.update(updates, state[i], params)
        updates = next
        return after
      })
      return [updates, states as readonly unknown[] as S]
    },
  }
}

/**
 * The same with a name for each part, so that states are found by name.
 *
 * @throws OptionError if a name stands twice
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { centralize, lion, namedChain } from '@fluxion/optim'
 * const optimiser = namedChain(['centralize', centralize()], ['lion', lion(1e-4)])
 * optimiser.init({ w: np.ones([2]) }).lion.count.item() // => 0
 * ```
 */
export function namedChain<const N extends readonly (readonly [string, Transformation])[]>(
  ...parts: N
): Transformation<{ [E in N[number] as E[0]]: E[1] extends Transformation<infer S> ? S : never }> {
  type States = { [E in N[number] as E[0]]: E[1] extends Transformation<infer S> ? S : never }
  const names = parts.map(([name]) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new OptionError(misuse('namedChain', 'a name of its own for each part', `'${twice}' twice`))
  const whole = chain(...parts.map(([, part]) => part))
  const named = (states: readonly unknown[]): States =>
    Object.fromEntries(names.map((name, i) => [name, states[i]])) as States
  return {
    init: (params) => named(whole.init(params)),
    update(grads, state, params) {
      const states = names.map((name) => (state as Readonly<Record<string, unknown>>)[name])
      const [updates, next] = whole.update(grads, states, params)
      return [updates, named(next)]
    },
  }
}

/**
 * Transformations under `chain`, a monoid of fp-ts: `identity()` is its neutral element, and how a long chain is bracketed does not
 * change the updates (the states are nested as the brackets are).
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { transformationMonoid, clip, scale } from '@fluxion/optim'
 * import { concatAll } from 'fp-ts/lib/Monoid.js'
 * const both = concatAll(transformationMonoid)([clip(1), scale(2)])
 * const grads = np.array([0.25, 3])
 * both.update(grads, both.init(grads))[0] // => [0.5, 2]
 * ```
 */
export const transformationMonoid: Monoid<Transformation> = {
  empty: identity(),
  concat: (first, second) => chain(first, second) as Transformation,
}
