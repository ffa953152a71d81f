/** Trees of labels or of booleans that say which leaves of another tree are meant. */
import { type TreeDef, TreeError, misuse, tree } from '@fluxion/core'

/** Booleans in a tree of which the parameters' structure is an extension (`true` stands for a whole subtree), or a function that gives one. */
export type Mask = boolean | object | ((tree: unknown) => unknown)

/** The label of each leaf of a tree, in order. */
export function labelsOf(where: string, labels: unknown, of: unknown): unknown[] {
  const given: unknown = typeof labels === 'function' ? (labels as (tree: unknown) => unknown)(of) : labels
  const [leaves, def] = tree.flatten(given)
  let at = 0
  const spread = (prefix: TreeDef, whole: TreeDef, path: string): unknown[] => {
    if (prefix.kind === 'leaf') return new Array<unknown>(whole.leaves).fill(leaves[at++])
    const fits =
      prefix.kind === whole.kind &&
      prefix.children.length === whole.children.length &&
      prefix.keys.every((key, i) => key === whole.keys[i])
    if (!fits) {
      const place = path === '' ? 'the root' : path
      throw new TreeError(misuse(where, `labels for ${String(whole)}`, `${String(prefix)} at ${place}`), path)
    }
    return prefix.children.flatMap((child, i) => {
      const step = prefix.kind === 'dict' ? `.${prefix.keys[i]}` : `[${i}]`
      return spread(child, whole.children[i]!, path + step)
    })
  }
  return spread(def, tree.structure(of), '')
}

/** For each leaf whether a mask chooses it. */
export function chosen(where: string, mask: Mask, of: unknown): boolean[] {
  return labelsOf(where, mask, of).map((label) => {
    if (typeof label === 'boolean') return label
    throw new TreeError(
      misuse(where, 'a mask of booleans', String(label), 'which leaves are chosen must be known before tracing'),
    )
  })
}
/** A tree with empty nodes in place of the leaves that are not chosen. */
export function keepChosen<P>(given: P, choice: readonly boolean[]): P {
  const [leaves, def] = tree.flatten(given)
  return tree.unflatten(
    def,
    leaves.map((leaf, i) => (choice[i] === true ? leaf : null)),
  ) as P
}
/** A tree with the leaves that are chosen replaced, in order, by those of the kept part of another. */
export function mergeChosen<P>(kept: unknown, others: P, choice: readonly boolean[]): P {
  const replacements = tree.leaves(kept).values()
  const [leaves, def] = tree.flatten(others)
  return tree.unflatten(
    def,
    leaves.map((leaf, i) => (choice[i] === true ? replacements.next().value : leaf)),
  ) as P
}
