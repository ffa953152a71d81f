/** Functions of slices applied to whole arrays. */
import type { ArrayLike, NDArray } from '../array.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import * as lax from '../primitive/movement.ts'
import { type Shape, broadcastShapes, normalAxis, range } from '../shape.ts'
import { vmap } from '../transform/vectorize.ts'
import { asArray } from './promote.ts'

/**
 * Apply a function of vectors to every vector along an axis. What it gives takes the place of the axis.
 *
 * @param f traced, not called for each vector
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.applyAlongAxis((v) => v.sub(np.mean(v)), 0, np.array([[1, 2], [3, 6]])) // => [[-1, -2], [1, 2]]
 * ```
 */
export function applyAlongAxis(f: (vector: NDArray) => NDArray, axis: number, x: ArrayLike): NDArray {
  const a = asArray('applyAlongAxis', x)
  const at = normalAxis('applyAlongAxis', axis, a.ndim)
  // axes behind the vectors come out behind the results, those before them before
  const behind = range(a.ndim - at - 1).reduce<(v: NDArray) => NDArray>(
    (g, i) => vmap(g, { inAxes: i + 1, outAxes: -1 }),
    f,
  )
  return range(at).reduce<(v: NDArray) => NDArray>((g) => vmap(g, { inAxes: 0, outAxes: 0 }), behind)(a)
}

/**
 * Apply a function of an array and an axis for each of several axes in turn. If it drops the axis, that is put back with size 1.
 *
 * @throws ShapeError if the function gives another rank
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.applyOverAxes((x, axis) => np.sum(x, { axis }), np.ones([2, 3, 4]), [0, 2]) // => [[[8], [8], [8]]]
 * ```
 */
export function applyOverAxes(
  f: (x: NDArray, axis: number) => NDArray,
  x: ArrayLike,
  axes: readonly number[],
): NDArray {
  const a = asArray('applyOverAxes', x)
  return axes.reduce((y, axis) => {
    const at = normalAxis('applyOverAxes', axis, a.ndim)
    const result = f(y, at)
    if (result.ndim === y.ndim) return result
    if (result.ndim === y.ndim - 1) return lax.expandDims(result, [at])
    throw new ShapeError(misuse('applyOverAxes', `a result of rank ${y.ndim} or ${y.ndim - 1}`, showAval(result.aval)))
  }, a)
}

export interface VectorizeOptions {
  /** Positions of arguments that are handed over as they are. */
  excluded?: readonly number[]
  /** The core axes of arguments and results, as in `'(m,n),(n)->(m)'`; without it all are scalars. */
  signature?: string | null
}
type Dimensions = readonly (readonly string[])[]

function parseSignature(signature: string): { inputs: Dimensions; outputs: Dimensions } {
  const list = String.raw`\((?:\w+(?:,\w+)*)?\)`
  const side = `${list}(?:,${list})*`
  const text = signature.replaceAll(/\s/g, '')
  if (!new RegExp(`^(?:${side})?->${side}$`).test(text)) {
    throw new OptionError(misuse('vectorize', "a signature such as '(m,n),(n)->(m)'", `'${signature}'`))
  }
  const [inputs, outputs] = text
    .split('->')
    .map((part) =>
      [...part.matchAll(/\(([^)]*)\)/g)].map(([, names]) => names!.split(',').filter((name) => name !== '')),
    )
  return { inputs: inputs!, outputs: outputs! }
}

/** Check the core axes of an array, and note the sizes of new names. */
function checkCore(what: string, shape: Shape, names: readonly string[], sizes: Map<string, number>): void {
  if (shape.length < names.length) {
    throw new ShapeError(
      misuse('vectorize', `core axes (${names.join(',')}) of ${what}`, `the shape [${shape.join(',')}]`),
    )
  }
  names.forEach((name, i) => {
    const size = shape[shape.length - names.length + i]!
    const known = sizes.get(name)
    if (known !== undefined && known !== size) {
      throw new ShapeError(
        misuse('vectorize', `size ${known} for the core axis ${name} of ${what}`, `the shape [${shape.join(',')}]`),
      )
    }
    sizes.set(name, size)
  })
}

/**
 * Make a function of arrays of fixed rank into one of arrays of any rank: it is applied along leading axes, which broadcast.
 *
 * @param f traced, not called for each element; gives an array, or a list of them
 *
 * @throws ShapeError if arguments do not fit the signature
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const matvec = np.vectorize(np.matmul, { signature: '(m,n),(n)->(m)' })
 * matvec(np.ones([5, 2, 3]), np.ones([3])).shape // => [5, 2]
 * ```
 */
export function vectorize<R extends NDArray | readonly NDArray[]>(
  f: (...args: NDArray[]) => R,
  options?: VectorizeOptions,
): (...args: readonly ArrayLike[]) => R
// functions that take options behind their arrays, such as those of `np`
export function vectorize<R extends NDArray | readonly NDArray[]>(
  f: (...args: never[]) => R,
  options?: VectorizeOptions,
): (...args: readonly ArrayLike[]) => R
export function vectorize<R extends NDArray | readonly NDArray[]>(
  f: (...args: never[]) => R,
  options: VectorizeOptions = {},
): (...args: readonly ArrayLike[]) => R {
  checkOptions('vectorize', options, ['excluded', 'signature'])
  const { excluded = [], signature = null } = options
  const parsed = signature === null ? null : parseSignature(signature)
  return (...args) => {
    const free = range(args.length).filter((i) => !excluded.includes(i))
    const arrays = free.map((i) => asArray('vectorize', args[i]!, i))
    const cores = parsed?.inputs ?? arrays.map(() => [])
    if (cores.length !== arrays.length) {
      throw new ShapeError(
        misuse('vectorize', `${cores.length} arguments, as the signature has`, String(arrays.length)),
      )
    }
    const sizes = new Map<string, number>()
    arrays.forEach((x, i) => checkCore(`argument ${free[i]}`, x.shape, cores[i]!, sizes))
    const leading = arrays.map((x, i) => x.shape.slice(0, x.ndim - cores[i]!.length))
    const shape = broadcastShapes('vectorize', ...leading)
    const core = (...given: NDArray[]): R => {
      const all = args.map((arg, i) => (free.includes(i) ? given[free.indexOf(i)]! : (arg as NDArray)))
      const result = f(...(all as never[]))
      if (parsed !== null) checkResults(result, parsed.outputs, sizes)
      return result
    }
    // an axis of size 1 is dropped, and the argument is the same for all elements of that axis
    const mapped = (axis: number, i: number): boolean => {
      const at = axis - (shape.length - leading[i]!.length)
      return at >= 0 && leading[i]![at] !== 1
    }
    const squeezed = arrays.map((x, i) =>
      lax.squeeze(
        x,
        range(leading[i]!.length).filter((axis) => leading[i]![axis] === 1),
      ),
    )
    const whole = range(shape.length).reduceRight<(...given: NDArray[]) => R>((g, axis) => {
      const inAxes = arrays.map((_, i) => (mapped(axis, i) ? 0 : null))
      // if nobody has elements along an axis of size 1, its results only get that axis
      if (inAxes.every((one) => one === null)) return (...given) => withUnitAxis(g(...given))
      return vmap(g as (...given: NDArray[]) => NDArray, { inAxes }) as unknown as (...given: NDArray[]) => R
    }, core)
    return whole(...squeezed)
  }
}
const isList = (x: NDArray | readonly NDArray[]): x is readonly NDArray[] => Array.isArray(x)
function withUnitAxis<R extends NDArray | readonly NDArray[]>(result: R): R {
  const widened = isList(result) ? result.map((x) => lax.expandDims(x, [0])) : lax.expandDims(result as NDArray, [0])
  return widened as R
}
function checkResults(
  result: NDArray | readonly NDArray[],
  outputs: Dimensions,
  inputs: ReadonlyMap<string, number>,
): void {
  const list = isList(result) ? result : [result]
  if (list.length !== outputs.length) {
    throw new ShapeError(misuse('vectorize', `${outputs.length} results, as the signature has`, String(list.length)))
  }
  const sizes = new Map(inputs)
  list.forEach((x, i) => {
    if (x.ndim !== outputs[i]!.length) {
      throw new ShapeError(
        misuse('vectorize', `a result ${i} with core axes (${outputs[i]!.join(',')})`, showAval(x.aval)),
      )
    }
    checkCore(`result ${i}`, x.shape, outputs[i]!, sizes)
  })
}
