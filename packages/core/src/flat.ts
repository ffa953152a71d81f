/** Between functions of trees, as users write them, and functions of lists of arrays, as transformations want them. */
import { ConcreteArray, NDArray } from './array.ts'
import type { TypedArray } from './backend/interface.ts'
import type { DType } from './dtype.ts'
import { OptionError, TreeError, misuse } from './errors.ts'
import { type TreeDef, flattenWithPaths, unflatten } from './tree.ts'
import { fromHost, scalar, withConditions } from './trace.ts'

/** What a bare number becomes: a weak float, or, where a loop counter may be meant, a weak integer if it is integral. */
export type Numbers = 'float' | 'integral'

const natural = new Map<Function, DType>([
  [Float32Array, 'float32'],
  [Float64Array, 'float64'],
  [Int32Array, 'int32'],
  [Uint32Array, 'uint32'],
  [Int16Array, 'int16'],
  [Uint16Array, 'uint16'],
  [Int8Array, 'int8'],
  [Uint8Array, 'uint8'],
  [Uint8ClampedArray, 'uint8'],
])
/** The dtype of a typed array; `undefined` for anything else. */
export const dtypeOfTypedArray = (x: unknown): DType | undefined =>
  typeof x === 'object' && x !== null ? natural.get(x.constructor) : undefined

/** A leaf of a tree as an array; throws on what is none. */
export function arrayOfLeaf(where: string, leaf: unknown, path: string, numbers: Numbers): NDArray {
  if (leaf instanceof NDArray) return leaf
  if (typeof leaf === 'number')
    return scalar(leaf, numbers === 'integral' && Number.isInteger(leaf) ? 'int32' : 'float32', true)
  if (typeof leaf === 'boolean') return scalar(leaf ? 1 : 0, 'bool')
  const dtype = dtypeOfTypedArray(leaf)
  if (dtype !== undefined) {
    const given = leaf as TypedArray | Uint8ClampedArray
    const data = given instanceof Uint8ClampedArray ? new Uint8Array(given) : given.slice()
    return fromHost({ shape: [data.length], dtype, data })
  }
  const shown =
    typeof leaf === 'function'
      ? 'a function'
      : typeof leaf === 'string'
        ? `the string ${JSON.stringify(leaf)}`
        : `a ${leaf?.constructor?.name ?? typeof leaf}`
  throw new TreeError(
    misuse(
      where,
      'arrays, numbers and booleans as leaves',
      `${shown} at ${path === '' ? 'the root' : path}`,
      'static values go through staticArgnums or a closure',
    ),
    path,
  )
}

export interface FlatTree {
  readonly leaves: NDArray[]
  readonly def: TreeDef
  readonly paths: readonly string[]
}
/** The arrays of a tree, and its structure. */
export function flattenArrays(where: string, tree: unknown, numbers: Numbers = 'float', root = ''): FlatTree {
  const [leaves, def, paths] = flattenWithPaths(tree)
  const named = paths.map((path) => root + path)
  return { leaves: leaves.map((leaf, i) => arrayOfLeaf(where, leaf, named[i]!, numbers)), def, paths: named }
}
/** The arrays of an argument list; paths read `argument 0.w`. */
export function flattenArgs(where: string, args: readonly unknown[], numbers: Numbers = 'float'): FlatTree {
  const each = args.map((arg, i) => flattenArrays(where, arg, numbers, `argument ${i}`))
  const [, def] = flattenWithPaths(args)
  return { leaves: each.flatMap(({ leaves }) => leaves), def, paths: each.flatMap(({ paths }) => paths) }
}

/** A user's function as one of lists; what its results look like is known once it has been called. */
export class FlatFunction {
  readonly #what: string
  readonly #f: (...args: never[]) => unknown
  readonly #def: TreeDef
  readonly #numbers: Numbers
  #result: FlatTree | undefined

  constructor(what: string, f: (...args: never[]) => unknown, def: TreeDef, numbers: Numbers = 'float') {
    this.#what = what
    this.#f = f
    this.#def = def
    this.#numbers = numbers
  }
  readonly call = (leaves: readonly NDArray[]): NDArray[] => {
    this.#result = withConditions(this.#what, () => {
      const out = this.#f(...(unflatten(this.#def, leaves) as never[]))
      refusePromise(this.#what, out)
      const result = flattenArrays(`${this.#what}: the result`, out, this.#numbers)
      for (const leaf of result.leaves) leaf.used = true
      return result
    })
    return this.#result.leaves
  }
  /** The same, with the results as the tree that the function returned. */
  readonly callTree = (leaves: readonly NDArray[]): unknown => {
    const outs = this.call(leaves)
    return unflatten(this.outDef, outs)
  }
  get outDef(): TreeDef {
    return this.#result!.def
  }
  get outPaths(): readonly string[] {
    return this.#result!.paths
  }
}

/** A traced function must run to its end at once. */
export function refusePromise(where: string, out: unknown): void {
  if (typeof out === 'object' && out !== null && typeof (out as { then?: unknown }).then === 'function') {
    throw new TreeError(
      misuse(
        where,
        'a function that returns arrays',
        'one that returns a promise',
        'await outside of the traced function; it must not be async',
      ),
    )
  }
}

/** Check that a transformation was given a function. */
export function checkFunction(where: string, f: unknown): void {
  if (typeof f !== 'function') throw new TreeError(misuse(where, 'a function', f === null ? 'null' : typeof f))
  if (f.constructor.name === 'AsyncFunction' || f.constructor.name === 'AsyncGeneratorFunction') {
    throw new TreeError(
      misuse(where, 'a function that returns arrays', 'an async function', 'await outside of the traced function'),
    )
  }
}
export const nameOf = (f: Function, otherwise = 'fn'): string => (f.name === '' ? otherwise : f.name)
export const isConcrete = (x: NDArray): x is ConcreteArray => x instanceof ConcreteArray

/** The positions of the arguments that an option names by one number or a list; negative ones count from the end. */
export function argumentSet(
  where: string,
  option: string,
  argnums: number | readonly number[] = [],
  count: number,
): ReadonlySet<number> {
  const list = typeof argnums === 'number' ? [argnums] : argnums
  return new Set(
    list.map((n) => {
      const index = n < 0 ? n + count : n
      if (!Number.isInteger(n) || index < 0 || index >= count)
        throw new OptionError(misuse(where, `${option} below the number of arguments, ${count}`, String(n)))
      return index
    }),
  )
}
/** The arguments that are not held as they are, and how the whole list is put together again from others in their place. */
export function holdArguments(
  args: readonly unknown[],
  held: ReadonlySet<number>,
): { readonly free: unknown[]; readonly whole: (given: readonly unknown[]) => unknown[] } {
  const whole = (given: readonly unknown[]): unknown[] => {
    let next = 0
    return args.map((arg, i) => (held.has(i) ? arg : given[next++]))
  }
  return { free: args.filter((_, i) => !held.has(i)), whole }
}
