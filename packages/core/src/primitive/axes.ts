/** Helpers for the axis rules of rows: what most operations say of their dimensions in one line. */
import { bytesOf, isFloat } from '../dtype.ts'
import type { Aval } from '../ir/aval.ts'
import type { ClosedJaxpr } from '../ir/jaxpr.ts'
import { type Shape, range } from '../shape.ts'
import type { Combination, Derive, Factor, Primitive, Span } from './define.ts'

type Rule<P extends object> = Primitive<P>['axes']

/** Nothing can be split. */
export const noAxes = (): readonly Factor[] => []

/** These dimensions are the same ones in all operands and results; operands of rank 0 broadcast. */
export const shared = (args: readonly Aval[], outs: readonly Aval[], dims: readonly number[]): Factor[] =>
  dims.map((dim) => ({
    operands: args.map(({ shape }) => (shape.length === 0 ? null : dim)),
    results: outs.map(() => dim),
  }))
/** All dimensions but some are the same in operands and results. */
export const allBut =
  <P extends object>(excluded: (params: P, args: readonly Aval[]) => readonly number[]): Rule<P> =>
  (args, params, outs) => {
    const kept = excluded(params, args)
    return shared(
      args,
      outs,
      range(outs[0]!.shape.length).filter((dim) => !kept.includes(dim)),
    )
  }
/** Every element depends on the operands' elements at the same place. */
export const pointwise: Rule<object> = (args, _, outs) => shared(args, outs, range(outs[0]!.shape.length))
/** Matrices in the last dimensions, of which each operand and result has leading ones: `rank` counts those of the first operand. */
export const leading: Rule<object> = (args, _, outs) => shared(args, outs, range(args[0]!.shape.length - 2))

const combinations: readonly Combination[] = ['sum', 'product', 'max', 'min', 'and', 'or', 'xor']
/** Operations that only move elements of some operands, all by default, so that partial ones stay partial. */
export const moves = (
  args: readonly Aval[],
  outs: readonly Aval[],
  factors: readonly Factor[],
  moved: readonly number[] = range(args.length),
): Factor[] => [
  ...factors,
  ...combinations.map((how): Factor => ({
    operands: args.map((_, i) => (moved.includes(i) ? how : null)),
    results: outs.map(() => how),
  })),
]
/** Partial sums of some operands, with the others whole, make partial sums of the results: what linear operations keep. */
export const keepsSums = (args: readonly Aval[], operands: readonly number[], results = 1): Factor[] =>
  operands.length === 0
    ? []
    : [
        {
          operands: args.map((_, i) => (operands.includes(i) ? 'sum' : null)),
          results: range(results).map(() => 'sum' as const),
        },
      ]
/** Conversions keep sums if no number of the operand is rounded. */
export const keepsSumsExactly = (x: Aval, out: Aval): Factor[] =>
  isFloat(x.dtype) && isFloat(out.dtype) && (x.dtype === out.dtype || bytesOf(x.dtype) < bytesOf(out.dtype))
    ? keepsSums([x], [0])
    : []

/** The shape of a part along one dimension. */
export const cut = (shape: Shape, dim: number, span: Span): number[] =>
  shape.map((size, i) => (i === dim ? span(size)[1] : size))

/** The rule of a call: that of its program, which the parameters of a part hold instead. */
export const ofProgram =
  <P extends object>(
    programOf: (params: P) => ClosedJaxpr,
    withProgram: (params: P, program: ClosedJaxpr) => P,
  ): Rule<P> =>
  (args, params, outs, derive: Derive) =>
    derive(args, outs, [{ program: programOf(params), inputs: range(args.length), outputs: range(outs.length) }]).map(
      ({ parts, ...factor }) => ({ ...factor, part: (span) => withProgram(params, parts(span)[0]!) }),
    )
