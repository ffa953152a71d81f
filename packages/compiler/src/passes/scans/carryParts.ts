/**
 * Carries that a step takes apart and puts together again, such as the state of a neuron of two variables in one array: each part becomes a
 * carry of its own.
 */
import { type Atom, type Equation, type Jaxpr, Literal, Var, closed } from '@fluxion/core'
import { elementwise } from '../elementwise.ts'
import { type Pass, equationOf, primitiveNamed, range, sameList } from '../rewrite.ts'
import type { SliceParams } from '../rules/pieces.ts'
import { partsOf } from '../rules/scan.ts'
import { definitionsOf, rewriteScans } from './rewriteScans.ts'

/** Where a carry is cut: `bounds` are the places along the axis, its ends among them. */
interface Cuts {
  readonly axis: number
  readonly bounds: readonly number[]
}

export const splitCarries: Pass = rewriteScans((scan, to) => {
  const { params, consts, init, xs, constVars, carryVars, xVars, next, ys } = partsOf(scan)
  const { jaxpr } = params.jaxpr
  const cuts = carryVars.map((variable, i) => cutsOf(variable, next[i]!, jaxpr))
  if (cuts.every((one) => one === undefined)) return undefined

  const start: Equation[] = []
  const end: Equation[] = []
  const write = (into: Equation[], name: string, inputs: readonly Atom[], given: object): Var => {
    const equation = equationOf(primitiveNamed(name), inputs, given, scan.source)
    into.push(equation)
    return equation.outputs[0]!
  }
  const carries: Var[] = []
  const [first, last]: [Atom[], Atom[]] = [[], []]
  carryVars.forEach((variable, i) => {
    const cut = cuts[i]
    if (cut === undefined) {
      carries.push(variable)
      first.push(init[i]!)
      last.push(next[i]!)
      return
    }
    const parts = slicesAt(variable, cut).map((slice) => {
      first.push(to.emit('slice', [init[i]!], slice)[0]!)
      last.push(write(end, 'slice', [next[i]!], slice))
      return new Var(last.at(-1)!.aval)
    })
    carries.push(...parts)
    const whole = equationOf(primitiveNamed('concatenate'), parts, { dimension: cut.axis }, scan.source)
    start.push({ ...whole, outputs: [variable] })
  })
  const results = to.emit(
    'scan',
    [...consts, ...first, ...xs],
    {
      ...params,
      jaxpr: closed({
        ...jaxpr,
        inputs: [...constVars, ...carries, ...xVars],
        equations: [...start, ...jaxpr.equations, ...end],
        outputs: [...last, ...ys],
      }),
      numCarry: carries.length,
    },
    scan.source,
  )
  let at = 0
  const finals = cuts.map((cut) => {
    if (cut === undefined) return results[at++]!
    const parts = results.slice(at, (at += cut.bounds.length - 1))
    return to.emit('concatenate', parts, { dimension: cut.axis }, scan.source)[0]!
  })
  return [...finals, ...results.slice(at)]
})

/** The slices of a value between the places where it is cut. */
function slicesAt({ aval: { shape } }: Var, { axis, bounds }: Cuts): SliceParams[] {
  const at = (index: number, whole: readonly number[]): number[] => whole.map((size, d) => (d === axis ? index : size))
  return bounds.slice(1).map((limit, i) => ({
    startIndices: at(
      bounds[i]!,
      shape.map(() => 0),
    ),
    limitIndices: at(limit, shape),
    strides: null,
  }))
}

/** Where a carry can be cut: it is read in parts along one axis only, and is put together from pieces along it. */
function cutsOf(carry: Var, next: Atom, jaxpr: Jaxpr): Cuts | undefined {
  if (next instanceof Literal || jaxpr.outputs.includes(carry)) return undefined
  const { shape } = carry.aval
  const bounds = new Set<number>()
  let axis: number | undefined
  for (const { primitive, inputs, params } of jaxpr.equations) {
    if (!inputs.includes(carry)) continue
    const places = placesOf(primitive.name, params, shape)
    if (places === undefined || (axis !== undefined && axis !== places.axis)) return undefined
    axis = places.axis
    for (const place of places.bounds) bounds.add(place)
  }
  if (axis === undefined || !isPieced(next, axis, definitionsOf(jaxpr), bounds, new Set())) return undefined
  bounds.add(0).add(shape[axis]!)
  // An axis of no elements has no parts.
  if (bounds.size < 3) return undefined
  return { axis, bounds: [...bounds].sort((a, b) => a - b) }
}
/** Where an operation cuts its operand, if that is all that it does, along one axis. */
function placesOf(name: string, params: object, shape: readonly number[]): Cuts | undefined {
  if (name === 'split') {
    const { axis, sizes } = params as { readonly axis: number; readonly sizes: readonly number[] }
    let at = 0
    return { axis, bounds: sizes.map((size) => (at += size)) }
  }
  if (name !== 'slice') return undefined
  const { startIndices, limitIndices, strides } = params as SliceParams
  const cut = range(shape.length).filter((d) => startIndices[d] !== 0 || limitIndices[d] !== shape[d])
  const [axis] = cut
  if (axis === undefined || cut.length > 1 || strides?.some((stride) => stride !== 1)) return undefined
  return { axis, bounds: [startIndices[axis]!, limitIndices[axis]!] }
}
/** Whether a value is put together along an axis; where, is added to `bounds`. */
function isPieced(
  value: Atom,
  axis: number,
  definitions: ReadonlyMap<Atom, Equation>,
  bounds: Set<number>,
  seen: Set<Atom>,
): boolean {
  if (value instanceof Literal || value.aval.shape.length === 0 || seen.has(value)) return true
  seen.add(value)
  const made = definitions.get(value)
  if (made === undefined) return false
  const { primitive, inputs, params } = made
  switch (primitive.name) {
    case 'broadcast_in_dim':
      return inputs[0]!.aval.shape.length === 0
    case 'concatenate': {
      if ((params as { readonly dimension: number }).dimension !== axis) return false
      let at = 0
      for (const operand of inputs) bounds.add((at += operand.aval.shape[axis]!))
      return true
    }
    case 'pad': {
      const { paddingConfig } = params as { readonly paddingConfig: readonly (readonly number[])[] }
      const low = paddingConfig[axis]![0]!
      const high = low + inputs[0]!.aval.shape[axis]!
      if (low < 0 || high > value.aval.shape[axis]!) return false
      bounds.add(low).add(high)
      return paddingConfig.every((amounts, d) => (d === axis ? amounts[2] === 0 : sameList(amounts, [0, 0, 0])))
    }
    default:
      return elementwise.has(primitive.name) && inputs.every((atom) => isPieced(atom, axis, definitions, bounds, seen))
  }
}
