/** What the parts of an index mean for an array of a given shape: one meaning for every axis, and new axes between them. */
import { ConcreteArray, NDArray } from '../../array.ts'
import { ConcretizationError, IndexError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { type Shape, range, sameShape, sizeOf, stridesOf } from '../../shape.ts'
import { fromHost } from '../../trace.ts'
import { type Index, type Positions, type Slice, parseRange, positionsOf, slice } from '../slice.ts'
import { asPositions, listOfPositions } from './positions.ts'

/** A part of an index for one axis of the array, or a new axis. */
export type Part =
  | { readonly kind: 'newaxis' }
  | { readonly kind: 'range'; readonly axis: number; readonly positions: Positions }
  /** A position that is known, counted from the front; it may lie outside. */
  | { readonly kind: 'position'; readonly axis: number; readonly index: number }
  | { readonly kind: 'array'; readonly axis: number; readonly indices: NDArray }

export interface Parsed {
  /** In the order of the index; every axis of the array occurs once. */
  readonly parts: readonly Part[]
  /** The shape of the array, with those axes of size 1 that a single boolean stands for. */
  readonly shape: Shape
  readonly inserted: readonly number[]
  /** Whether positions and arrays stand side by side: their common axes then take their place, else they come first. */
  readonly adjacent: boolean
}

/** One part of an index as it was given, with the number of axes that it is for. */
interface Item {
  readonly kind: 'newaxis' | 'ellipsis' | 'range' | 'position' | 'array' | 'mask' | 'truth'
  readonly axes: number
  readonly value: unknown
}

const whatIndicesAre = "integers, ranges such as '1:3', null, '...', arrays and lists of integers or booleans"

function itemOf(part: Index, position: number): Item {
  if (part === null) return { kind: 'newaxis', axes: 0, value: part }
  if (part === '...') return { kind: 'ellipsis', axes: 0, value: part }
  if (typeof part === 'string') return { kind: 'range', axes: 1, value: parseRange(part) }
  if (typeof part === 'boolean') return { kind: 'truth', axes: 0, value: part }
  if (typeof part === 'number') {
    if (Number.isInteger(part)) return { kind: 'position', axes: 1, value: part }
    throw new IndexError(
      misuse('index', 'integers', `${part} as part ${position}`, 'Math.floor makes an integer of it'),
    )
  }
  if (part instanceof NDArray) return itemOfArray(part)
  if (Array.isArray(part)) return itemOfList(part as readonly unknown[], position)
  if (isSlice(part)) return { kind: 'range', axes: 1, value: slice(part.start, part.stop, part.step) }
  throw new IndexError(
    misuse('index', whatIndicesAre, `${typeof part === 'object' ? 'an object' : String(part)} as part ${position}`),
  )
}
const isSlice = (part: unknown): part is Slice =>
  typeof part === 'object' && part !== null && 'start' in part && 'stop' in part && 'step' in part

function itemOfArray(x: NDArray): Item {
  if (x.dtype !== 'bool') return { kind: 'array', axes: 1, value: asPositions('index', x) }
  if (!(x instanceof ConcreteArray)) {
    throw new ConcretizationError(
      misuse(
        'index',
        'a mask whose values are known, since they decide the shape of the result',
        x.toString(),
        'np.where(mask, x, y) chooses by a mask that is traced',
      ),
    )
  }
  return x.ndim === 0 ? { kind: 'truth', axes: 0, value: x.item() !== 0 } : { kind: 'mask', axes: x.ndim, value: x }
}
function itemOfList(list: readonly unknown[], position: number): Item {
  if (list.length > 0 && list.every((value) => typeof value === 'boolean')) {
    const mask = fromHost({ shape: [list.length], dtype: 'bool', data: Uint8Array.from(list, Number) })
    return { kind: 'mask', axes: 1, value: mask }
  }
  if (list.every((value) => typeof value === 'number'))
    return { kind: 'array', axes: 1, value: listOfPositions('index', list) }
  const hint = "np.array(values, { dtype: 'int32' }) makes an index of nested lists"
  throw new IndexError(misuse('index', 'lists of integers or of booleans', `another list as part ${position}`, hint))
}

/** Read an index of an array of the given shape. */
export function parseIndex(index: readonly Index[], shape: Shape): Parsed {
  const items = index.map(itemOf)
  if (items.filter((item) => item.kind === 'ellipsis').length > 1) {
    throw new IndexError(
      misuse('index', "one '...' at most", `${items.filter((item) => item.kind === 'ellipsis').length}`),
    )
  }
  const named = items.reduce((sum, item) => sum + item.axes, 0)
  if (named > shape.length) {
    throw new IndexError(
      misuse('index', `${shape.length} axes at most, those of the shape [${shape.join(',')}]`, `an index of ${named}`),
    )
  }
  const whole = { kind: 'ellipsis', axes: 0, value: '...' } as const
  const complete: readonly Item[] = items.some((item) => item.kind === 'ellipsis') ? items : [...items, whole]

  const parts: Part[] = []
  const sizes: number[] = []
  const inserted: number[] = []
  // axes of the array that were passed, not counting inserted ones
  let passed = 0
  const next = (count: number): number[] => {
    const axes = range(count, sizes.length)
    sizes.push(...shape.slice(passed, passed + count))
    passed += count
    return axes
  }
  for (const { kind, axes, value } of complete) {
    if (kind === 'newaxis') parts.push({ kind })
    else if (kind === 'truth') {
      inserted.push(sizes.length)
      parts.push({ kind: 'array', axis: sizes.length, indices: listOfPositions('index', value === true ? [0] : []) })
      sizes.push(1)
    } else {
      const own = next(kind === 'ellipsis' ? shape.length - named : axes)
      parts.push(...partsOf(kind, value, own, sizes))
    }
  }
  return { parts, shape: sizes, inserted, adjacent: areAdjacent(items) }
}

function partsOf(kind: Item['kind'], value: unknown, axes: readonly number[], sizes: Shape): Part[] {
  const [axis] = axes
  if (kind === 'ellipsis')
    return axes.map((one) => ({ kind: 'range', axis: one, positions: { start: 0, step: 1, count: sizes[one]! } }))
  const size = sizes[axis!]!
  if (kind === 'mask') return positionsOfMask(value as ConcreteArray, axes, sizes)
  if (kind === 'range') return [{ kind, axis: axis!, positions: positionsOf(value as Slice, size) }]
  if (kind === 'array') return [{ kind, axis: axis!, indices: value as NDArray }]
  if (size === 0) throw new IndexError(misuse('index', `no position on axis ${axis}, which has size 0`, String(value)))
  return [
    { kind: 'position', axis: axis!, index: (value as number) < 0 ? (value as number) + size : (value as number) },
  ]
}

/** A mask as the positions of what it chooses, one list for each of its axes. */
function positionsOfMask(mask: ConcreteArray, axes: readonly number[], sizes: Shape): Part[] {
  const expected = axes.map((axis) => sizes[axis]!)
  if (!sameShape(mask.shape, expected)) {
    throw new IndexError(
      misuse('index', `a mask of the shape [${expected.join(',')}] for axes [${axes.join(',')}]`, showAval(mask.aval)),
    )
  }
  return nonzeroOf(mask).map((positions, i) => ({
    kind: 'array',
    axis: axes[i]!,
    indices: listOfPositions('index', positions),
  }))
}

/** The positions of elements that are not zero, in row-major order: a list for each axis. */
export function nonzeroOf(x: ConcreteArray): number[][] {
  const { data } = x.host
  const flat = range(sizeOf(x.shape)).filter((at) => data[at] !== 0)
  return stridesOf(x.shape).map((stride, axis) => flat.map((at) => Math.floor(at / stride) % x.shape[axis]!))
}

/** Whether all items that name positions stand next to each other. */
function areAdjacent(items: readonly Item[]): boolean {
  const named = items.flatMap(({ kind }, i) =>
    kind === 'newaxis' || kind === 'ellipsis' || kind === 'range' ? [] : [i],
  )
  return named.every((at, i) => at === named[0]! + i)
}
