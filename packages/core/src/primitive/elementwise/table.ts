/** Constructors of elementwise primitives: a row says what is particular to an operation, all other rules are built here. */
import type { NDArray } from '../../array.ts'
import type { HostArray, TypedArray } from '../../backend/interface.ts'
import { allocate, roundTo } from '../../backend/reference/host.ts'
import { type DType, dtypes, isFloat } from '../../dtype.ts'
import { DtypeError, MissingRuleError, misuse } from '../../errors.ts'
import { type Aval, aval, showAval } from '../../ir/aval.ts'
import { range, sizeOf } from '../../shape.ts'
import { bind1 } from '../../trace.ts'
import { keepsSums, pointwise } from '../axes.ts'
import {
  type BatchAxis,
  type BatchDim,
  type Linear,
  type Primitive,
  type Tangent,
  Zero,
  definePrimitive,
} from '../define.ts'
import { commonType, isLinear, isZero } from '../rules.ts'
import { alignBatch, expanded, summedTo } from './broadcasting.ts'
import { type BinaryLoop, type UnaryLoop, addAnyLoop } from './loops.ts'

/** Which dtypes an operation takes, and what a message calls them. */
interface Acceptance {
  readonly test: (dtype: DType) => boolean
  readonly text: string
  readonly hint: string
}
export type Accepts = 'float' | 'integer' | 'logical' | 'signed' | 'number' | 'any'
const accepted: Readonly<Record<Accepts, Acceptance>> = {
  float: { test: isFloat, text: 'a floating dtype', hint: "x.astype('float32') converts" },
  integer: {
    test: (d: DType) => !isFloat(d) && d !== 'bool',
    text: 'an integer dtype',
    hint: "x.astype('int32') converts",
  },
  logical: { test: (d: DType) => !isFloat(d), text: 'bool or an integer dtype', hint: 'x.ne(0) makes a bool' },
  signed: {
    test: (d: DType) => isFloat(d) || dtypes[d].kind === 'signed',
    text: 'a signed integer or floating dtype',
    hint: 'unsigned numbers are their own absolute value',
  },
  number: {
    test: (d: DType) => d !== 'bool',
    text: 'an integer or floating dtype',
    hint: "x.astype('int32') converts",
  },
  any: { test: () => true, text: 'any dtype', hint: '' },
}

export function checkAccepts(where: string, arg: Aval, accepts: Accepts): void {
  const { test, text, hint } = accepted[accepts]
  if (!test(arg.dtype)) throw new DtypeError(misuse(where, text, showAval(arg), hint))
}

export type Unary = (x: NDArray) => NDArray
export type Binary = (x: NDArray, y: NDArray) => NDArray

/** The part of the result's tangent that one operand's tangent `t` causes; the others are the operands in order, then the result. */
export type TangentRule = (t: NDArray, ...operandsAndResult: NDArray[]) => NDArray
/** The cotangent of one operand that is `Linear`, up to broadcasting. */
export type CotangentRule = (ct: NDArray, ...operands: (NDArray | Linear)[]) => NDArray

/** The rule of an operand in which the operation has no derivative that could be computed; JAX has none either. */
export const unsupported =
  (where: string, operand: string): TangentRule =>
  () => {
    throw new MissingRuleError(
      `${where}: there is no derivative with respect to ${operand}\nhint: lax.stopGradient holds it constant`,
    )
  }

export interface Row {
  readonly accepts: Accepts
  /** The result's dtype where it is not that of the operands. */
  readonly out?: 'bool'
  /** The type rule where it is not that operands agree in dtype and shape. */
  readonly type?: (args: readonly Aval[]) => Aval
  /** A rule for each operand, `null` where the derivative is zero; a missing list says that there is none at all. */
  readonly jvp?: readonly (TangentRule | null)[]
  /** The operation is linear in all operands together, so that it maps tangents as it maps values. */
  readonly linear?: true
  readonly transpose?: readonly (CotangentRule | null)[]
}

type Params = Record<never, never>
type Rules<P extends object> = Pick<Required<Primitive<P>>, 'jvp' | 'batch'> & Pick<Primitive<P>, 'transpose'>

/** Tangent rules, one an operand, as a JVP. */
export const tangentsOf =
  <P extends object>(
    run: (args: readonly NDArray[], params: P) => NDArray,
    rules: (params: P) => readonly (TangentRule | null)[],
    linear = false,
  ): Rules<P>['jvp'] =>
  (primals, tangents, params) => {
    const out = run(primals, params)
    if (linear && tangents.every((t) => !isZero(t))) return [[out], [run(tangents as readonly NDArray[], params)]]
    let sum: Tangent = new Zero(out.aval)
    for (const [i, rule] of rules(params).entries()) {
      const t = tangents[i]!
      if (rule === null || isZero(t)) continue
      const part = expanded(rule(t, ...primals, out), out.shape)
      sum = isZero(sum) ? part : addAny(sum, part)
    }
    return [[out], [sum]]
  }

/** Cotangent rules, one an operand, as a transpose. */
export const cotangentsOf =
  <P extends object>(rules: readonly (CotangentRule | null)[]): NonNullable<Rules<P>['transpose']> =>
  ([ct], args) =>
    args.map((arg, i) => {
      const rule = rules[i] ?? null
      if (!isLinear(arg) || rule === null) return null
      return isZero(ct!) ? new Zero(arg.aval) : summedTo(rule(ct!, ...args), arg.aval)
    })

/** The batch rule of every elementwise operation. */
export const alignedBatch =
  <P extends object>(run: (args: readonly NDArray[], params: P) => NDArray): Rules<P>['batch'] =>
  (args: readonly NDArray[], dims: readonly BatchDim[], params: P, axis: BatchAxis) => {
    const [aligned, at] = alignBatch(args, dims, axis.size)
    return [[run(aligned, params)], [at]]
  }

/**
 * Make room for a result, have it filled, and round it to its dtype. Narrow integers are computed in 32 bits, of which storing keeps the low
 * ones: loops then meet four kinds of arrays at most, beyond which they get forty times slower.
 */
export function filled({ shape, dtype }: Aval, fill: (out: TypedArray) => void): HostArray {
  const out = allocate(dtype, sizeOf(shape))
  const wide = out.BYTES_PER_ELEMENT < 4 ? new Int32Array(out.length) : out
  fill(wide)
  if (wide !== out) out.set(wide)
  return { shape, dtype, data: roundTo(dtype, out) }
}
/** The elements of an operand as loops want them: of 32 bits at least. */
export const elements = ({ data }: HostArray): TypedArray => (data.BYTES_PER_ELEMENT < 4 ? new Int32Array(data) : data)
/** How far a loop advances in an operand: operands of rank 0 stay where they are. */
export const stride = (x: HostArray): number => (x.shape.length === 0 ? 0 : 1)

function elementwise(
  name: string,
  row: Row,
  reference: Primitive<Params>['reference'],
): (args: readonly NDArray[]) => NDArray {
  const run = (args: readonly NDArray[]): NDArray => bind1(primitive, args, {})
  const { jvp = [], transpose } = row
  const primitive: Primitive<Params> = definePrimitive({
    name,
    type(args) {
      if (row.type !== undefined) return [row.type(args)]
      for (const arg of args) checkAccepts(name, arg, row.accepts)
      const common = commonType(name, args)
      return [row.out === undefined ? common : aval(common.shape, row.out)]
    },
    jvp: tangentsOf(run, () => jvp, row.linear),
    ...(transpose && { transpose: cotangentsOf(transpose) }),
    batch: alignedBatch(run),
    axes: (args, params, outs, derive) => [
      ...pointwise(args, params, outs, derive),
      // linear in all operands together, or in each of some; a quotient of integers is in none
      ...(row.linear
        ? keepsSums(args, range(args.length))
        : (transpose ?? []).flatMap((rule, i) =>
            rule === null || !isFloat(args[i]!.dtype) ? [] : keepsSums(args, [i]),
          )),
    ],
    reference,
  })
  return run
}

/** An operation on one operand. `integers` is the loop for integers and bools, where it differs. */
export function unary(
  name: string,
  { run, integers = run, ...row }: Row & { run: UnaryLoop; integers?: UnaryLoop },
): Unary {
  const call = elementwise(name, row, ([x], _, [out]) => [
    filled(out!, (data) => (isFloat(x!.dtype) ? run : integers)(data, elements(x!), x!.dtype)),
  ])
  return (x) => call([x])
}

/** An operation on two operands. `integers` is the loop for integers and bools, where it differs. */
export function binary(
  name: string,
  { run, integers = run, ...row }: Row & { run: BinaryLoop; integers?: BinaryLoop },
): Binary {
  const call = elementwise(name, row, ([x, y], _, [out]) => {
    const loop = isFloat(x!.dtype) ? run : integers
    return [filled(out!, (data) => loop(data, elements(x!), stride(x!), elements(y!), stride(y!), x!.dtype))]
  })
  return (x, y) => call([x, y])
}

/** An operation on three operands, in the loop that all of these share. */
export function ternary(
  name: string,
  { f, ...row }: Row & { f: (x: number, y: number, z: number) => number },
): (x: NDArray, y: NDArray, z: NDArray) => NDArray {
  const call = elementwise(name, row, ([x, y, z], _, [out]) => {
    const [a, b, c] = [elements(x!), elements(y!), elements(z!)]
    const [da, db, dc] = [stride(x!), stride(y!), stride(z!)]
    const fill = (data: TypedArray): void => {
      for (let i = 0; i < data.length; i++) data[i] = f(a[i * da]!, b[i * db]!, c[i * dc]!)
    }
    return [filled(out!, fill)]
  })
  return (x, y, z) => call([x, y, z])
}

const same: CotangentRule = (ct) => ct
/** The sum of tangents; it stands here because every JVP of several operands adds with it. */
export const addAny: Binary = binary('add_any', {
  accepts: 'number',
  run: addAnyLoop,
  linear: true,
  jvp: [(t) => t, (t) => t],
  transpose: [same, same],
})

/** An operation on one operand with parameters. */
export interface ParameterRow<P extends object> {
  type(x: Aval, params: P): Aval
  readonly jvp?: (params: P) => TangentRule
  readonly transpose?: (ct: NDArray, x: Aval, params: P) => NDArray
  readonly run: (out: TypedArray, x: HostArray, params: P) => void
  readonly show?: (params: P) => object
}
export function parametric<P extends object>(name: string, row: ParameterRow<P>): (x: NDArray, params: P) => NDArray {
  const run = (args: readonly NDArray[], params: P): NDArray => bind1(primitive, args, params)
  const { jvp, transpose, show } = row
  const primitive: Primitive<P> = definePrimitive<P>({
    name,
    type: ([x], params) => [row.type(x!, params)],
    jvp: tangentsOf(run, (params) => (jvp === undefined ? [] : [jvp(params)])),
    ...(transpose && {
      transpose: ([ct], [x], params) => [isZero(ct!) ? new Zero(x!.aval) : transpose(ct!, x!.aval, params)],
    }),
    batch: ([x], [dim], params) => [[run([x!], params)], [dim!]],
    axes: pointwise,
    reference: ([x], params, [out]) => [filled(out!, (data) => row.run(data, x!, params))],
    ...(show && { show }),
  })
  return (x, params) => run([x], params)
}
