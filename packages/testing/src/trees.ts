/** Arbitraries for pytrees of every kind of node. */
import { tree } from '@fluxion/core'
import fc from 'fast-check'

/** A class whose instances are nodes of trees, as users register their own. */
export class RegisteredNode {
  readonly label: string
  readonly children: readonly unknown[]
  constructor(label: string, children: readonly unknown[]) {
    this.label = label
    this.children = children
  }
}
tree.register(
  RegisteredNode,
  ({ label, children }) => [children, label],
  (label: string, children) => new RegisteredNode(label, children),
)

export interface TreeOptions {
  /** How deep nodes nest; 3 by default. */
  readonly depth?: number
  /** The most children of a node; 3 by default. */
  readonly width?: number
}
/**
 * Trees of the given leaves: lists, objects (some with a `_tag`, as fp-ts has), `null`, `undefined`, and a registered class.
 *
 * @example
 * ```ts
 * import fc from 'fast-check'
 * import { trees } from '@fluxion/testing'
 * import { tree } from 'fluxion'
 * fc.assert(fc.property(trees(fc.integer()), (t) => tree.leaves(tree.map((x) => x, t)).length === tree.leaves(t).length))
 * ```
 */
export function trees<T>(leaf: fc.Arbitrary<T>, { depth = 3, width = 3 }: TreeOptions = {}): fc.Arbitrary<unknown> {
  if (depth === 0) return leaf
  const child = trees(leaf, { depth: depth - 1, width })
  const list = fc.array(child, { maxLength: width })
  const key = fc.oneof(
    fc.constantFrom('w', 'b', 'a b', '10', '9', '__proto__', 'ß', '𝒳'),
    fc.string({ maxLength: 3 }).filter((name) => name !== '_tag'),
  )
  const dict = fc.dictionary(key, child, { maxKeys: width, noNullPrototype: true })
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 2, arbitrary: list },
    { weight: 2, arbitrary: dict },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('Some', 'None', 'Left'), dict).map(([_tag, rest]) => ({ _tag, ...rest })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.string({ maxLength: 2 }), list)
        .map(([label, children]) => new RegisteredNode(label, children)),
    },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
  )
}
