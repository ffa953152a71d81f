/** Operations that place elements anew: what does nothing is dropped, chains become one, equal elements stay spread scalars. */
import { type Atom, type Equation, Literal, isFloat, sizeOf } from '@fluxion/core'
import { range, sameList, withoutAt } from '../rewrite.ts'
import type { Rule, Rules, Simplifier } from '../simplify.ts'
import { type SliceParams, sliceOfPieces, splitOfPieces } from './pieces.ts'

export interface BroadcastParams {
  readonly shape: readonly number[]
  readonly broadcastDimensions: readonly number[]
}
interface PadParams {
  readonly paddingConfig: readonly (readonly [number, number, number])[]
}
type Dimensions = { readonly dimensions: readonly number[] }
type Permutation = { readonly permutation: readonly number[] }

const shapeOf = (atom: Atom): readonly number[] => atom.aval.shape
const outShape = ({ outputs }: Equation): readonly number[] | undefined => outputs[0]?.aval.shape

/** What only places elements anew gives, of equal elements, equal elements. */
const staysSpread: Rule = (equation, to) => {
  const scalar = to.scalarOf(equation.inputs[0]!)
  const shape = outShape(equation)
  return scalar === undefined || shape === undefined || shapeOf(equation.inputs[0]!).length === 0
    ? undefined
    : [to.spread(scalar, shape)]
}
/** An operation whose result has the operand's shape, and so its elements in their places. */
const sameShape: Rule = (equation) => {
  const shape = outShape(equation)
  return shape !== undefined && sameList(shape, shapeOf(equation.inputs[0]!)) ? [equation.inputs[0]!] : undefined
}

const broadcastTwice: Rule = ({ inputs: [x], params, source }, to) => {
  const before = to.made(x!, 'broadcast_in_dim')
  if (before === undefined) return undefined
  const { shape, broadcastDimensions } = params as BroadcastParams
  const inner = (before.params as BroadcastParams).broadcastDimensions
  return [
    to.make(
      'broadcast_in_dim',
      before.inputs,
      { shape, broadcastDimensions: inner.map((axis) => broadcastDimensions[axis]!) },
      source,
    ),
  ]
}

/** Indices repeated along other axes. */
const broadcastIota: Rule = ({ inputs: [x], params, source }, to) => {
  const counting = to.made(x!, 'iota')
  if (counting === undefined) return undefined
  const { shape, broadcastDimensions } = params as BroadcastParams
  const { dtype, dimension } = counting.params as { readonly dtype: string; readonly dimension: number }
  if (shapeOf(x!)[dimension] !== shape[broadcastDimensions[dimension]!]) return undefined
  return [to.make('iota', [], { dtype, shape, dimension: broadcastDimensions[dimension]! }, source)]
}

/** The operand of an operation that keeps all elements in their order. */
function reordersNothing(atom: Atom, to: Simplifier): Atom | undefined {
  const found = to.made(atom, 'reshape') ?? to.made(atom, 'squeeze') ?? to.made(atom, 'broadcast_in_dim')
  const x = found?.inputs[0]
  return x !== undefined && sizeOf(shapeOf(x)) === sizeOf(shapeOf(atom)) && shapeOf(x).length > 0 ? x : undefined
}
const reshapeTwice: Rule = ({ inputs: [x], params, source }, to) => {
  const before = reordersNothing(x!, to)
  return before === undefined ? undefined : [to.make('reshape', [before], params, source)]
}
const squeezeSpread: Rule = ({ inputs: [x], params, source }, to) => {
  const { dimensions } = params as Dimensions
  const before = to.made(x!, 'broadcast_in_dim')
  const reshaped = to.made(x!, 'reshape') ?? to.made(x!, 'squeeze')
  const shape = withoutAt(shapeOf(x!), dimensions)
  if (reshaped !== undefined) return [to.make('reshape', reshaped.inputs, { newSizes: shape }, source)]
  if (before === undefined) return undefined
  const { broadcastDimensions } = before.params as BroadcastParams
  if (broadcastDimensions.some((axis) => dimensions.includes(axis))) return undefined
  const moved = broadcastDimensions.map((axis) => axis - dimensions.filter((dropped) => dropped < axis).length)
  return [to.make('broadcast_in_dim', before.inputs, { shape, broadcastDimensions: moved }, source)]
}

const transposeTwice: Rule = ({ inputs: [x], params, source }, to) => {
  const before = to.made(x!, 'transpose')
  if (before === undefined) return undefined
  const inner = (before.params as Permutation).permutation
  const permutation = (params as Permutation).permutation.map((axis) => inner[axis]!)
  return [to.make('transpose', before.inputs, { permutation }, source)]
}
const transposeNothing: Rule = ({ inputs: [x], params }) =>
  (params as Permutation).permutation.every((axis, i) => axis === i) ? [x!] : undefined
/** What was spread is spread along other axes instead, if its own keep their order. */
const transposeSpread: Rule = ({ inputs: [x], params, source }, to) => {
  const before = to.made(x!, 'broadcast_in_dim')
  if (before === undefined) return undefined
  const { permutation } = params as Permutation
  const { shape, broadcastDimensions } = before.params as BroadcastParams
  const moved = broadcastDimensions.map((axis) => permutation.indexOf(axis))
  if (!moved.every((axis, i) => i === 0 || moved[i - 1]! < axis)) return undefined
  const params2 = { shape: permutation.map((axis) => shape[axis]!), broadcastDimensions: moved }
  return [to.make('broadcast_in_dim', before.inputs, params2, source)]
}

const reverseLess: Rule = ({ inputs: [x], params, source }, to) => {
  const { dimensions } = params as Dimensions
  const spreading = to.made(x!, 'broadcast_in_dim')?.params as BroadcastParams | undefined
  const kept = dimensions.filter(
    (axis) => shapeOf(x!)[axis] !== 1 && (spreading === undefined || spreading.broadcastDimensions.includes(axis)),
  )
  if (kept.length === 0) return [x!]
  if (kept.length < dimensions.length) return [to.make('rev', [x!], { dimensions: kept }, source)]
  const before = to.made(x!, 'rev')
  if (before === undefined) return undefined
  const inner = (before.params as Dimensions).dimensions
  const once = [
    ...dimensions.filter((axis) => !inner.includes(axis)),
    ...inner.filter((axis) => !dimensions.includes(axis)),
  ]
  return [to.make('rev', before.inputs, { dimensions: once }, source)]
}

const sliceTwice: Rule = ({ inputs: [x], params, source }, to) => {
  const before = to.made(x!, 'slice')
  if (before === undefined) return undefined
  const [outer, inner] = [params as SliceParams, before.params as SliceParams]
  const rank = shapeOf(x!).length
  const step = (of: SliceParams, axis: number): number => of.strides?.[axis] ?? 1
  const strides = range(rank).map((axis) => step(outer, axis) * step(inner, axis))
  const start = (axis: number): number => inner.startIndices[axis]! + outer.startIndices[axis]! * step(inner, axis)
  const composed = {
    startIndices: range(rank).map((axis) => Math.min(start(axis), inner.limitIndices[axis]!)),
    limitIndices: range(rank).map((axis) => {
      const count = Math.ceil((outer.limitIndices[axis]! - outer.startIndices[axis]!) / step(outer, axis))
      return count === 0
        ? Math.min(start(axis), inner.limitIndices[axis]!)
        : start(axis) + (count - 1) * strides[axis]! + 1
    }),
    strides: strides.every((stride) => stride === 1) ? null : strides,
  }
  return [to.make('slice', before.inputs, composed, source)]
}
const padNothing: Rule = (equation, to) => {
  const [x, value] = equation.inputs
  const { paddingConfig } = equation.params as PadParams
  if (paddingConfig.every((axis) => axis.every((amount) => amount === 0))) return [x!]
  const scalar = to.scalarOf(x!)
  const equal = scalar instanceof Literal && value instanceof Literal && Object.is(scalar.value, value.value)
  const shape = outShape(equation)
  return equal && shape !== undefined ? [to.spread(value, shape)] : undefined
}
const concatenateLess: Rule = (equation, to) => {
  const { inputs, params, source } = equation
  const { dimension } = params as { readonly dimension: number }
  const filled = inputs.filter((x) => shapeOf(x)[dimension] !== 0)
  if (inputs.length === 1) return [inputs[0]!]
  if (filled.length > 0 && filled.length < inputs.length) return [to.make('concatenate', filled, params, source)]
  const scalars = inputs.map((x) => to.scalarOf(x))
  const first = scalars[0]
  const shape = outShape(equation)
  const equal =
    first instanceof Literal &&
    scalars.every((scalar) => scalar instanceof Literal && Object.is(scalar.value, first.value))
  return equal && shape !== undefined ? [to.spread(first, shape)] : undefined
}
const splitNothing: Rule = ({ inputs: [x], params }) =>
  (params as { readonly sizes: readonly number[] }).sizes.length === 1 ? [x!] : undefined
const splitSpread: Rule = ({ inputs: [x], outputs }, to) => {
  const scalar = to.scalarOf(x!)
  if (scalar === undefined) return undefined
  return outputs.map((variable) => (variable === null ? scalar : to.spread(scalar, variable.aval.shape)))
}

/** A window whose place is known is a slice. */
const knownWindow: Rule = ({ inputs: [x, ...starts], params, source }, to) => {
  const { sliceSizes } = params as { readonly sliceSizes: readonly number[] }
  if (!starts.every((start, axis) => start instanceof Literal || sliceSizes[axis] === shapeOf(x!)[axis]))
    return undefined
  const startIndices = starts.map((start, axis) => {
    const last = shapeOf(x!)[axis]! - sliceSizes[axis]!
    if (last === 0) return 0
    return Math.min(Math.max((start as Literal).value, 0), last)
  })
  const limitIndices = startIndices.map((start, axis) => start + sliceSizes[axis]!)
  return [to.make('slice', [x!], { startIndices, limitIndices, strides: null }, source)]
}
const wholeUpdate: Rule = ({ inputs: [x, update] }) => (sameList(shapeOf(x!), shapeOf(update!)) ? [update!] : undefined)

/** A reduction over axes of size 1, or none, only drops them; a sum makes +0 of -0 besides. */
const reduceNothing: Rule = (equation, to) => {
  const {
    primitive,
    inputs: [x],
    params,
    source,
  } = equation
  const { axes } = params as { readonly axes: readonly number[] }
  const shape = outShape(equation)
  if (shape === undefined || axes.some((axis) => shapeOf(x!)[axis] !== 1)) return undefined
  const dropped = axes.length === 0 ? x! : to.make('reshape', [x!], { newSizes: shape }, source)
  if (primitive.name !== 'reduce_sum' || !isFloat(x!.aval.dtype)) return [dropped]
  return [to.make('add', [dropped, new Literal(0, { shape: [], dtype: x!.aval.dtype, weakType: false })], {}, source)]
}
/** A reduction of a transposition, converted or not, reduces other axes, if those that stay keep their order. */
const reduceTransposed: Rule = ({ primitive, inputs: [x], params, source }, to) => {
  const converting = to.made(x!, 'convert_element_type')
  const before = to.made(converting?.inputs[0] ?? x!, 'transpose')
  if (before === undefined) return undefined
  const { axes } = params as { readonly axes: readonly number[] }
  const { permutation } = before.params as Permutation
  const kept = withoutAt(permutation, axes)
  if (!kept.every((axis, i) => i === 0 || kept[i - 1]! < axis)) return undefined
  const moved = axes.map((axis) => permutation[axis]!).sort((a, b) => a - b)
  const operands = converting === undefined ? before.inputs : [converted(before.inputs[0]!, converting, to)]
  return [to.make(primitive.name, operands, { ...params, axes: moved }, source)]
}
const converted = (x: Atom, { params, source }: Equation, to: Simplifier): Atom =>
  to.make('convert_element_type', [x], params, source)
/** An extreme of equal elements. */
const reduceSpread: Rule = (equation, to) => {
  const {
    inputs: [x],
  } = equation
  const [scalar, shape] = [to.scalarOf(x!), outShape(equation)]
  if (scalar === undefined || shape === undefined || sizeOf(shapeOf(x!)) === 0) return undefined
  return [to.spread(scalar, shape)]
}
const iotaOfOne: Rule = (equation, to) => {
  const { dimension } = equation.params as { readonly dimension: number }
  const out = equation.outputs[0]?.aval
  return out !== undefined && out.shape[dimension] === 1 ? [to.number(0, out)] : undefined
}

const reducing: readonly Rule[] = [reduceNothing, reduceTransposed]
const selecting: readonly Rule[] = [...reducing, reduceSpread]
export const movementRules: Rules = {
  broadcast_in_dim: [sameShape, broadcastTwice, broadcastIota],
  reshape: [sameShape, staysSpread, reshapeTwice],
  squeeze: [sameShape, staysSpread, squeezeSpread],
  transpose: [transposeNothing, staysSpread, transposeTwice, transposeSpread],
  rev: [staysSpread, reverseLess],
  slice: [sameShape, staysSpread, sliceTwice, sliceOfPieces],
  pad: [padNothing],
  concatenate: [concatenateLess],
  split: [splitNothing, splitSpread, splitOfPieces],
  dynamic_slice: [sameShape, staysSpread, knownWindow],
  dynamic_update_slice: [wholeUpdate],
  reduce_sum: reducing,
  reduce_prod: reducing,
  reduce_max: selecting,
  reduce_min: selecting,
  reduce_and: selecting,
  reduce_or: selecting,
  reduce_xor: reducing,
  iota: [iotaOfOne],
}
