/**
 * Pytrees: nested arrays, plain objects (keys in code-point order) and registered classes, whose leaves are whatever is none of these.
 * `null` and `undefined` are nodes without leaves; a string under the key `_tag` (fp-ts) belongs to the structure.
 */
import { TreeError, misuse } from './errors.ts'

type Children = readonly unknown[]
interface NodeType {
  readonly id: number
  readonly name: string
  readonly flatten: (value: never) => readonly [Children, unknown]
  readonly unflatten: (aux: unknown, children: Children) => unknown
}
const registered = new Map<Function, NodeType>()

/**
 * Let instances of a class be nodes of trees instead of leaves.
 *
 * @param flatten gives the children and whatever else `unflatten` needs, compared as JSON
 * @example
 * ```ts
 * import { tree } from 'fluxion'
 * class Pair { constructor(a, b) { this.a = a; this.b = b } }
 * tree.register(Pair, (p) => [[p.a, p.b], null], (_, [a, b]) => new Pair(a, b))
 * tree.leaves(new Pair(1, [2, 3])) // => [1, 2, 3]
 * ```
 */
export function register<T, Aux>(
  type: new (...args: never[]) => T,
  flattenNode: (value: T) => readonly [Children, Aux],
  unflattenNode: (aux: Aux, children: Children) => T,
): void {
  if (registered.has(type)) throw new TreeError(`tree.register: ${type.name} is registered already`)
  registered.set(type, {
    id: registered.size,
    name: type.name,
    flatten: flattenNode as NodeType['flatten'],
    unflatten: unflattenNode as NodeType['unflatten'],
  })
}

/** The structure of a tree without its leaves. */
export class TreeDef {
  readonly kind: 'leaf' | 'none' | 'list' | 'dict' | 'custom'
  readonly children: readonly TreeDef[]
  /** Keys of a dict; the value of an empty node; type and extra data of a registered class. */
  readonly keys: readonly string[]
  readonly tag: string | undefined
  readonly empty: null | undefined
  readonly type: NodeType | undefined
  readonly aux: unknown
  readonly leaves: number
  #key: string | undefined

  constructor(
    kind: TreeDef['kind'],
    parts: {
      children?: TreeDef[]
      keys?: string[]
      tag?: string
      empty?: null | undefined
      type?: NodeType
      aux?: unknown
    } = {},
  ) {
    this.kind = kind
    this.children = parts.children ?? []
    this.keys = parts.keys ?? []
    this.tag = parts.tag
    this.empty = parts.empty
    this.type = parts.type
    this.aux = parts.aux
    this.leaves = kind === 'leaf' ? 1 : this.children.reduce((n, child) => n + child.leaves, 0)
  }

  /** Two definitions are equal exactly when their keys are. */
  get key(): string {
    return (this.#key ??= this.#makeKey())
  }
  #makeKey(): string {
    const inner = (): string => this.children.map((child) => child.key).join(',')
    switch (this.kind) {
      case 'leaf':
        return '*'
      case 'none':
        return 'null'
      case 'list':
        return `[${inner()}]`
      case 'dict': {
        const tag = this.tag === undefined ? '' : `_tag=${JSON.stringify(this.tag)},`
        return `{${tag}${this.keys.map((name, i) => `${JSON.stringify(name)}:${this.children[i]!.key}`).join(',')}}`
      }
      case 'custom':
        return `#${this.type!.id}(${JSON.stringify(this.aux) ?? ''})[${inner()}]`
    }
  }
  equals(other: TreeDef): boolean {
    return this === other || this.key === other.key
  }
  toString(): string {
    return `TreeDef(${this.#show()})`
  }
  #show(): string {
    const inner = (): string[] => this.children.map((child) => child.#show())
    switch (this.kind) {
      case 'leaf':
        return '*'
      case 'none':
        return 'null'
      case 'list':
        return `[${inner().join(', ')}]`
      case 'dict': {
        const shown = inner().map(
          (child, i) =>
            `${/^[A-Za-z_$][\w$]*$/.test(this.keys[i]!) ? this.keys[i]! : JSON.stringify(this.keys[i])}: ${child}`,
        )
        return `{${[...(this.tag === undefined ? [] : [`_tag: '${this.tag}'`]), ...shown].join(', ')}}`
      }
      case 'custom':
        return `${this.type!.name}[${inner().join(', ')}]`
    }
  }
}
const leafDef = new TreeDef('leaf')
const nullDef = new TreeDef('none', { empty: null })
const undefinedDef = new TreeDef('none', { empty: undefined })

export function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
// The default order compares UTF-16 units, which differs from code points only where surrogates occur.
const byCodePoint = (a: string, b: string): number => {
  const [p, q] = [[...a], [...b]]
  const at = p.findIndex((char, i) => char !== q[i])
  if (at < 0) return p.length - q.length
  return q[at] === undefined ? 1 : p[at]!.codePointAt(0)! - q[at].codePointAt(0)!
}
const sortedKeys = (value: object): string[] => {
  const keys = Object.keys(value).sort()
  return keys.some((key) => /[\ud800-\udfff]/.test(key)) ? keys.sort(byCodePoint) : keys
}
type IsLeaf = (node: unknown) => boolean

function flattenInto(
  value: unknown,
  leaves: unknown[],
  isLeaf: IsLeaf | undefined,
  path: string,
  paths: string[] | undefined,
): TreeDef {
  if (value === null) return nullDef
  if (value === undefined) return undefinedDef
  if (typeof value === 'object' && isLeaf?.(value) !== true) {
    if (Array.isArray(value)) {
      return new TreeDef('list', {
        children: value.map((child, i) => flattenInto(child, leaves, isLeaf, `${path}[${i}]`, paths)),
      })
    }
    if (isPlain(value)) {
      const tag = value['_tag']
      const keys = sortedKeys(value).filter((key) => key !== '_tag' || typeof tag !== 'string')
      const children = keys.map((key) => flattenInto(value[key], leaves, isLeaf, `${path}.${key}`, paths))
      return new TreeDef('dict', { keys, children, ...(typeof tag === 'string' ? { tag } : {}) })
    }
    const type = registered.get(value.constructor)
    if (type !== undefined) {
      const [children, aux] = type.flatten(value as never)
      return new TreeDef('custom', {
        type,
        aux,
        children: children.map((child, i) => flattenInto(child, leaves, isLeaf, `${path}<${i}>`, paths)),
      })
    }
  }
  leaves.push(value)
  paths?.push(path)
  return leafDef
}

/** The leaves of a tree in order, and its structure. `isLeaf` stops at nodes that it accepts. */
export function flattenAny(tree: unknown, isLeaf?: IsLeaf): [unknown[], TreeDef] {
  const leaves: unknown[] = []
  const def = flattenInto(tree, leaves, isLeaf, '', undefined)
  return [leaves, def]
}
/** The same with the path to each leaf, as JavaScript would write it: `.layers[0].w`. */
export function flattenWithPaths(tree: unknown, isLeaf?: IsLeaf): [leaves: unknown[], def: TreeDef, paths: string[]] {
  const leaves: unknown[] = []
  const paths: string[] = []
  return [leaves, flattenInto(tree, leaves, isLeaf, '', paths), paths]
}

/**
 * Collect the leaves of a tree that is expected to have a structure; false if it has another one, or one that takes longer to compare. What
 * calls with known structures do instead of `flattenAny`, at a tenth of its time.
 */
export function collectLeaves(def: TreeDef, tree: unknown, leaves: unknown[]): boolean {
  switch (def.kind) {
    case 'leaf':
      if (tree === null || tree === undefined || Array.isArray(tree)) return false
      if (typeof tree === 'object' && (isPlain(tree) || registered.has(tree.constructor))) return false
      leaves.push(tree)
      return true
    case 'none':
      return tree === def.empty
    case 'list': {
      const { children } = def
      if (!Array.isArray(tree) || tree.length !== children.length) return false
      for (let i = 0; i < children.length; i++) if (!collectLeaves(children[i]!, tree[i], leaves)) return false
      return true
    }
    case 'dict': {
      const { children, keys } = def
      if (def.tag !== undefined || typeof tree !== 'object' || tree === null || !isPlain(tree)) return false
      if (Object.keys(tree).length !== keys.length) return false
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i]!
        if (!Object.hasOwn(tree, key) || !collectLeaves(children[i]!, tree[key], leaves)) return false
      }
      return true
    }
    case 'custom':
      return false
  }
}

/** Build a tree of the given structure from leaves. */
export function unflatten(def: TreeDef, leaves: readonly unknown[]): unknown {
  if (leaves.length !== def.leaves)
    throw new TreeError(misuse('tree.unflatten', `${def.leaves} leaves for ${String(def)}`, String(leaves.length)))
  let at = 0
  const build = (node: TreeDef): unknown => {
    switch (node.kind) {
      case 'leaf':
        return leaves[at++]
      case 'none':
        return node.empty
      case 'list':
        return node.children.map(build)
      case 'dict': {
        const result: Record<string, unknown> = node.tag === undefined ? {} : { _tag: node.tag }
        node.children.forEach((child, i) => {
          const [key, value] = [node.keys[i]!, build(child)]
          // This key must become a property of its own; for others the plain way is many times faster.
          if (key === '__proto__')
            Object.defineProperty(result, key, { value, enumerable: true, writable: true, configurable: true })
          else result[key] = value
        })
        return result
      }
      case 'custom':
        return node.type!.unflatten(node.aux, node.children.map(build))
    }
  }
  return build(def)
}

/** Where two structures first differ, in words; `undefined` if they do not. */
export function difference(expected: TreeDef, got: TreeDef, path = ''): string | undefined {
  if (expected.equals(got)) return undefined
  const place = path === '' ? 'the root' : path
  if (expected.kind === 'dict' && got.kind === 'dict' && expected.tag === got.tag) {
    const missing = expected.keys.filter((key) => !got.keys.includes(key))
    const extra = got.keys.filter((key) => !expected.keys.includes(key))
    if (missing.length > 0) return `at ${place} the key '${missing[0]}' is missing`
    if (extra.length > 0) return `at ${place} there is a key '${extra[0]}' too many`
    const at = expected.children.findIndex((child, i) => !child.equals(got.children[i]!))
    return difference(expected.children[at]!, got.children[at]!, `${path}.${expected.keys[at]}`)
  }
  if (expected.kind === got.kind && expected.kind !== 'dict' && expected.children.length === got.children.length) {
    const at = expected.children.findIndex((child, i) => !child.equals(got.children[i]!))
    if (at >= 0) return difference(expected.children[at]!, got.children[at]!, `${path}[${at}]`)
  }
  return `at ${place} expected ${String(expected).slice(8, -1)}, got ${String(got).slice(8, -1)}`
}
/** Throw a `TreeError` that leads to the first difference. */
export function assertSameStructure(where: string, expected: TreeDef, got: TreeDef): void {
  const found = difference(expected, got)
  if (found !== undefined) {
    throw new TreeError(
      `${where}: the trees differ in structure: ${found}`,
      /^at (?:the root)?(\S*)/.exec(found)?.[1] ?? '',
    )
  }
}

/**
 * Spread a tree that is a prefix of a structure over all of that structure's leaves: `0` over `{ a, b }` gives `[0, 0]`. Whatever
 * `isLeaf` accepts (and `null`, if `nullIsLeaf`) is spread.
 */
export function spreadPrefix(
  where: string,
  prefix: unknown,
  def: TreeDef,
  isLeaf: (x: unknown) => boolean,
  path = '',
): unknown[] {
  if (isLeaf(prefix)) return new Array<unknown>(def.leaves).fill(prefix)
  const fail = (): never => {
    throw new TreeError(
      misuse(
        where,
        `a tree prefix of ${String(def)}`,
        `${JSON.stringify(prefix) ?? String(prefix)} at ${path === '' ? 'the root' : path}`,
      ),
      path,
    )
  }
  if (typeof prefix !== 'object' || prefix === null) return def.leaves === 0 ? [] : fail()
  if (def.kind === 'list' && Array.isArray(prefix) && prefix.length === def.children.length) {
    return def.children.flatMap((child, i) => spreadPrefix(where, prefix[i], child, isLeaf, `${path}[${i}]`))
  }
  if (
    def.kind === 'dict' &&
    isPlain(prefix) &&
    def.keys.length === Object.keys(prefix).length &&
    def.keys.every((key) => Object.hasOwn(prefix, key))
  ) {
    return def.children.flatMap((child, i) =>
      spreadPrefix(where, prefix[def.keys[i]!], child, isLeaf, `${path}.${def.keys[i]}`),
    )
  }
  return fail()
}
