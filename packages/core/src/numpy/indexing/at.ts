/** Copies of an array with the elements at an index changed. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { promote } from '../../dtype.ts'
import { ShapeError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import { scatter, scatterAdd, scatterMax, scatterMin, scatterMul } from '../../primitive/indexing.ts'
import * as lax from '../../primitive/movement.ts'
import { issueWarning } from '../../trace.ts'
import { onesLike } from '../create.ts'
import { asArrays, broadcastTo, promoteDtypes } from '../promote.ts'
import type { Index } from '../slice.ts'
import { divide, negative } from '../ufuncs/arithmetic.ts'
import { power } from '../ufuncs/exponential.ts'
import { type GetOptions, type ScatterOptions, read, scatterNames } from './get.ts'
import { parseIndex } from './parse.ts'
import { planOf } from './plan.ts'

type Write = (values: ArrayLike, options?: ScatterOptions) => NDArray
/**
 * Copies of an array with the elements at an index changed. Values broadcast to what the index reads and are converted to the dtype
 * of the array. Elements that the index names several times are changed as often; which value `set` leaves there is not said.
 */
export interface At {
  readonly set: Write
  readonly add: Write
  readonly sub: Write
  readonly subtract: Write
  readonly mul: Write
  readonly multiply: Write
  /** Divide by values; integers become floats, everywhere. */
  readonly div: Write
  readonly divide: Write
  readonly pow: Write
  readonly power: Write
  readonly min: Write
  readonly max: Write
  /** Replace what the index reads by a function of it. Elements named several times are replaced once. */
  apply(f: (x: NDArray) => NDArray, options?: ScatterOptions): NDArray
  /** Read, with a choice of what happens outside. */
  get(options?: GetOptions): NDArray
}

/** The elements of an array at an index, to be changed in a copy of it. */
export function at(x: NDArray, ...index: readonly Index[]): At {
  const write =
    (name: string, operation: typeof scatter): Write =>
    (values, options = {}) =>
      written(name, operation, x, index, values, options)
  // by a factor or an exponent for every element, which is 1 where nothing changes
  const by =
    (name: string, combine: (x: NDArray, y: NDArray) => NDArray): Write =>
    (values, options = {}) =>
      combine(x, written(name, scatterMul, onesLike(x), index, values, options))
  const subtract: Write = (values, options = {}) =>
    written('at.subtract', scatterAdd, x, index, negative(asArrays('at.subtract', x, values)[1]!), options)
  const multiply = write('at.multiply', scatterMul)
  const [quotient, powers] = [by('at.divide', divide), by('at.power', power)]
  return {
    set: write('at.set', scatter),
    add: write('at.add', scatterAdd),
    sub: subtract,
    subtract,
    mul: multiply,
    multiply,
    div: quotient,
    divide: quotient,
    pow: powers,
    power: powers,
    min: write('at.min', scatterMin),
    max: write('at.max', scatterMax),
    apply(f, options = {}) {
      checkOptions('at.apply', options, scatterNames)
      return written('at.apply', scatter, x, index, f(read(x, index, options)), options)
    },
    get: (options = {}) => read(x, index, options),
  }
}

function written(
  where: string,
  operation: typeof scatter,
  x: NDArray,
  index: readonly Index[],
  values: ArrayLike,
  options: ScatterOptions,
): NDArray {
  checkOptions(where, options, scatterNames)
  const parsed = parseIndex(index, x.shape)
  const plan = planOf(parsed)
  const given = asArrays(where, x, values)[1]!
  if (promote([x, given]).dtype !== x.dtype) {
    issueWarning(
      `${where}: values of dtype ${given.dtype} are converted to ${x.dtype}, which does not hold all of them\nhint: values.astype('${x.dtype}')`,
    )
  }
  if (plan.shape.includes(0)) return x
  const offset = plan.shape.length - given.ndim
  if (offset < 0 || given.shape.some((size, i) => size !== 1 && size !== plan.shape[offset + i])) {
    throw new ShapeError(
      misuse(where, `values that broadcast to what the index reads, [${plan.shape.join(',')}]`, showAval(given.aval)),
    )
  }
  const [target, source] = promoteDtypes(where, x, given) as [NDArray, NDArray]
  const updates = lax.squeeze(broadcastTo(source, plan.shape), plan.newAxes)
  const { offsetDims, collapsedSliceDims, startIndexMap } = plan.dimensionNumbers
  const out = operation(
    parsed.inserted.length === 0 ? target : lax.expandDims(target, parsed.inserted),
    plan.indices,
    plan.reversed.length === 0 ? updates : lax.rev(updates, plan.reversed),
    {
      dimensionNumbers: {
        updateWindowDims: offsetDims,
        insertedWindowDims: collapsedSliceDims,
        scatterDimsToOperandDims: startIndexMap,
      },
      mode: options.mode ?? 'drop',
      uniqueIndices: plan.regular || options.uniqueIndices === true,
      indicesAreSorted: plan.regular || options.indicesAreSorted === true,
    },
  )
  return convert(lax.squeeze(out, parsed.inserted), x.dtype, x.weakType)
}
