/** Sets of dimensions that are cut together, and into how many pieces. */
import type { Aval, Factor } from '@fluxion/core'

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))

/** Each set is an axis, with the number of pieces into which all its dimensions can be cut. */
export class Axes {
  readonly #parents: number[] = []
  readonly #units: number[] = []
  add(size: number): number {
    this.#units.push(size)
    return this.#parents.push(this.#parents.length) - 1
  }
  find(axis: number): number {
    let at = axis
    while (this.#parents[at] !== at) at = this.#parents[at]!
    return at
  }
  join(a: number, b: number): number {
    const [into, from] = [this.find(a), this.find(b)]
    if (into === from) return into
    this.limit(into, this.#units[from]!)
    this.#parents[from] = into
    return into
  }
  limit(axis: number, units: number): void {
    const at = this.find(axis)
    this.#units[at] = divisor(this.#units[at]!, units)
  }
  unitsOf(axis: number): number {
    return this.#units[this.find(axis)]!
  }
}

/** Into how many pieces a factor can be cut. */
export function unitsOf(
  factor: Pick<Factor, 'operands' | 'results' | 'units'>,
  args: readonly Aval[],
  outs: readonly (Aval | undefined)[],
): number {
  if (factor.units !== undefined) return factor.units
  const sizes = (dims: Factor['operands'], avals: readonly (Aval | undefined)[]): number[] =>
    dims.flatMap((dim, i) => (typeof dim === 'number' && avals[i] !== undefined ? [avals[i].shape[dim]!] : []))
  return [...sizes(factor.operands, args), ...sizes(factor.results, outs)].reduce(divisor, 0)
}
