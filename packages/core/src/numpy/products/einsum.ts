/** Einstein's summation: products of several arrays whose axes carry letters, contracted two at a time. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { type Typed, promote } from '../../dtype.ts'
import { OptionError, ShapeError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { convert } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { reduceSum } from '../../primitive/reduce.ts'
import { range } from '../../shape.ts'
import { asArrays, broadcastTo, promoteDtypes } from '../promote.ts'
import { diagonal } from '../manipulation/diagonal.ts'
import { type Labelled, type ProductOptions, checkProduct, contract } from './contract.ts'

/** A formula as labels: those of the operands and those of the result. */
interface Formula {
  readonly inputs: readonly (readonly string[])[]
  readonly output: readonly string[]
}

const wrong = (formula: string, expected: string, got: string, hint?: string): ShapeError =>
  new ShapeError(misuse(`einsum '${formula}'`, expected, got, hint))

/** Labels of one term: letters, and numbers for the axes that an ellipsis stands for, counted from the last. */
function labelsOf(formula: string, term: string, rank: number | null, most: number): string[] {
  const [before, after, more] = term.split('...')
  if (more !== undefined || !/^[A-Za-z]*$/.test(before! + (after ?? ''))) {
    throw wrong(formula, "letters and one '...' at most in each term", `'${term}'`)
  }
  const letters = before!.length + (after?.length ?? 0)
  if (rank !== null && (after === undefined ? rank !== letters : rank < letters)) {
    throw wrong(
      formula,
      `${letters} axes${after === undefined ? '' : ' at least'} for '${term}'`,
      `an array of rank ${rank}`,
    )
  }
  const hidden = after === undefined ? 0 : rank === null ? most : rank - letters
  return [...before!, ...range(hidden, most - hidden).map((at) => `.${at}`), ...(after ?? '')]
}

/** Read a formula for operands of these ranks. Without an arrow the result has the letters that occur once, in alphabetical order. */
function parse(formula: string, operands: readonly NDArray[]): Formula {
  const [left, right, more] = formula.replaceAll(/\s/g, '').split('->')
  if (more !== undefined) throw wrong(formula, "one '->' at most", `'${formula}'`)
  const terms = left!.split(',')
  if (terms.length !== operands.length) {
    throw wrong(formula, `${terms.length} arrays, one for each term`, `${operands.length}`)
  }
  // an ellipsis stands for the axes that the letters leave; the ellipses of several operands broadcast
  const hidden = terms.map((term, i) => (term.includes('...') ? operands[i]!.ndim - term.replace('...', '').length : 0))
  const most = Math.max(0, ...hidden)
  const inputs = terms.map((term, i) => labelsOf(formula, term, operands[i]!.ndim, most))
  const all = inputs.flat()
  if (right === undefined) {
    const once = [...new Set(all)].filter(
      (label) => !label.startsWith('.') && all.indexOf(label) === all.lastIndexOf(label),
    )
    return { inputs, output: [...range(most).map((at) => `.${at}`), ...once.sort()] }
  }
  const output = labelsOf(formula, right, null, most)
  const odd = output.find((label, i) => !all.includes(label) || output.indexOf(label) !== i)
  if (odd !== undefined) throw wrong(formula, 'each letter of the result once, and in a term', `'${odd}' in '${right}'`)
  if (most > 0 && !right.includes('...')) throw wrong(formula, "'...' in the result, since terms have it", `'${right}'`)
  return { inputs, output }
}

/** The size of each label: axes of size 1 broadcast. */
function sizesOf(formula: string, operands: readonly NDArray[], inputs: Formula['inputs']): Map<string, number> {
  const sizes = new Map<string, number>()
  operands.forEach((x, i) => {
    inputs[i]!.forEach((label, axis) => {
      const [size, known] = [x.shape[axis]!, sizes.get(label)]
      if (known !== undefined && known !== size && known !== 1 && size !== 1) {
        throw wrong(
          formula,
          `one size for '${label}'`,
          `${known} and ${size}, in ${operands.map((y) => showAval(y.aval)).join(', ')}`,
        )
      }
      sizes.set(label, known === undefined || known === 1 ? size : known)
    })
  })
  return sizes
}

/** An operand with each label once: where one is repeated, its diagonal is taken. */
function withoutRepeats([x, labels]: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i)
  if (second < 0) return [x, labels]
  const label = labels[second]!
  const first = labels.indexOf(label)
  return withoutRepeats([
    diagonal(x, { axis1: first, axis2: second }),
    [...labels.filter((_, i) => i !== first && i !== second), label],
  ])
}

/** An operand without axes of size 1 that broadcast against larger ones. */
function withoutUnits([x, labels]: Labelled, sizes: ReadonlyMap<string, number>): Labelled {
  const units = range(labels.length).filter((axis) => x.shape[axis] === 1 && sizes.get(labels[axis]!) !== 1)
  return [lax.squeeze(x, units), labels.filter((_, axis) => !units.includes(axis))]
}

/** Sum over the labels that nobody else has. */
function summed([x, labels]: Labelled, needed: ReadonlySet<string>): Labelled {
  const alone = range(labels.length).filter((axis) => !needed.has(labels[axis]!))
  return alone.length === 0 ? [x, labels] : [reduceSum(x, alone), labels.filter((label) => needed.has(label))]
}

/** Which of the remaining operands are contracted in which order: pairs of positions; results stand behind the others. */
export type ContractionPath = readonly (readonly [number, number])[]

/** Choose, again and again, the pair whose product is smallest next to what it replaces; of equally good ones that of least work. */
function greedy(
  inputs: Formula['inputs'],
  output: readonly string[],
  sizes: ReadonlyMap<string, number>,
): ContractionPath {
  const path: [number, number][] = []
  let rest = inputs.map((labels) => [...new Set(labels)])
  const volume = (labels: Iterable<string>): number => [...labels].reduce((n, label) => n * sizes.get(label)!, 1)
  while (rest.length > 1) {
    let best: { cost: number; work: number; pair: [number, number]; labels: string[] } | undefined
    for (const j of range(rest.length)) {
      for (const i of range(j)) {
        const others = new Set([...output, ...rest.filter((_, k) => k !== i && k !== j).flat()])
        const union = [...new Set([...rest[i]!, ...rest[j]!])]
        const labels = union.filter((label) => others.has(label))
        const cost = volume(labels) - volume(rest[i]!) - volume(rest[j]!)
        const work = volume(union)
        if (best === undefined || cost < best.cost || (cost === best.cost && work < best.work))
          best = { cost, work, pair: [i, j], labels }
      }
    }
    const { pair, labels } = best!
    path.push(pair)
    rest = [...rest.filter((_, k) => !pair.includes(k)), labels]
  }
  return path
}

/**
 * The order in which `einsum` contracts: pairs of positions among what remains; a product stands behind the others.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.einsumPath('ij,jk,kl->il', np.ones([9, 9]), np.ones([9, 9]), np.ones([9, 1])) // => [[1, 2], [0, 1]]
 * ```
 */
export function einsumPath(formula: string, ...operands: readonly ArrayLike[]): ContractionPath {
  const arrays = asArrays('einsumPath', ...operands)
  const { inputs, output } = parse(formula, arrays)
  return greedy(inputs, output, sizesOf(formula, arrays, inputs))
}

export interface EinsumOptions extends ProductOptions {
  /** The order of contractions: a `greedy` one by default, `left` to right, or one of the caller's. */
  optimize?: 'greedy' | 'left' | ContractionPath
}

/**
 * Multiply arrays and sum, by a formula that names their axes: letters that the result lacks are summed over. A letter twice in a term
 * takes the diagonal; `...` stands for axes that broadcast; without `->` the result has the letters that occur once, in alphabetical
 * order. Several arrays are contracted two at a time.
 *
 * @throws ShapeError for formulas that do not fit the arrays
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const a = np.array([[1, 2], [3, 4]])
 * np.einsum('ij,j->i', a, np.array([1, 1])) // => [3, 7]
 * np.einsum('ii', a).item() // => 5
 * np.einsum('...ij->...ji', np.zeros([5, 2, 3])).shape // => [5, 3, 2]
 * ```
 */
export function einsum(formula: string, ...args: readonly (ArrayLike | EinsumOptions)[]): NDArray {
  const [operands, options] = optionsLast(args)
  checkProduct('einsum', options, ['optimize'])
  const given = asArrays('einsum', ...operands)
  if (given.length === 0) throw wrong(formula, 'at least one array', 'none')
  const { inputs, output } = parse(formula, given)
  const sizes = sizesOf(formula, given, inputs)
  const own = promote(given)
  const type: Typed =
    options.preferredElementType === undefined ? own : { dtype: options.preferredElementType, weakType: false }
  const arrays = promoteDtypes('einsum', ...given)
  const needed = (others: readonly Labelled[]): Set<string> =>
    new Set([...output, ...others.flatMap(([, labels]) => labels)])

  let rest: Labelled[] = arrays.map((x, i) => withoutUnits(withoutRepeats([x, inputs[i]!]), sizes))
  for (const pair of pathOf(formula, options.optimize, inputs, output, sizes)) {
    const others = rest.filter((_, k) => !pair.includes(k))
    const [p, q] = pair.map((k) => rest[k]!) as [Labelled, Labelled]
    const left = summed(p, needed([...others, q]))
    const right = summed(q, needed([...others, p]))
    const keep = needed(others)
    // batch axes first, then those of the left: the order in which the product has them anyway
    const shared = left[1].filter((label) => right[1].includes(label) && keep.has(label))
    const labels = [
      ...shared,
      ...[...left[1], ...right[1]].filter((label) => keep.has(label) && !shared.includes(label)),
    ]
    const last = others.length === 0
    const result = last ? output.filter((label) => labels.includes(label)) : labels
    rest = [...others, [contract(left, right, result, type), result]]
  }
  const [x, labels] = summed(rest[0]!, new Set(output))
  const present = output.filter((label) => labels.includes(label))
  const ordered = lax.transpose(
    x,
    present.map((label) => labels.indexOf(label)),
  )
  // axes that only ever had size 1 against a larger one were dropped: what remains broadcasts
  const missing = range(output.length).filter((axis) => !labels.includes(output[axis]!))
  const wide = missing.length === 0 ? ordered : lax.expandDims(ordered, missing)
  return convert(
    broadcastTo(
      wide,
      output.map((label) => sizes.get(label)!),
    ),
    type.dtype,
    type.weakType,
  )
}

function optionsLast(args: readonly (ArrayLike | EinsumOptions)[]): [operands: ArrayLike[], options: EinsumOptions] {
  const last = args.at(-1)
  const isOptions = typeof last === 'object' && last !== null && Object.getPrototypeOf(last) === Object.prototype
  return isOptions ? [args.slice(0, -1) as ArrayLike[], last as EinsumOptions] : [args as ArrayLike[], {}]
}

function pathOf(
  formula: string,
  optimize: EinsumOptions['optimize'],
  inputs: Formula['inputs'],
  output: readonly string[],
  sizes: ReadonlyMap<string, number>,
): ContractionPath {
  const n = inputs.length
  if (optimize === undefined || optimize === 'greedy') return greedy(inputs, output, sizes)
  // the product so far stands behind what remains
  if (optimize === 'left') return range(n - 1).map((i) => (i === 0 ? [0, 1] : [n - 1 - i, 0]))
  const fits = Array.isArray(optimize) && optimize.length === n - 1
  if (
    fits &&
    optimize.every(([i, j], step) => i !== j && [i, j].every((k) => Number.isInteger(k) && k >= 0 && k < n - step))
  )
    return optimize
  throw new OptionError(
    misuse(`einsum '${formula}'`, `optimize 'greedy', 'left' or ${n - 1} pairs of positions`, JSON.stringify(optimize)),
  )
}
