/** Choices between operands. */
import type { NDArray } from '../../array.ts'
import { DtypeError, ShapeError, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { range } from '../../shape.ts'
import { bind1 } from '../../trace.ts'
import { keepsSums, pointwise } from '../axes.ts'
import { type Linear, type Primitive, Zero, definePrimitive } from '../define.ts'
import { commonShape, commonType, isLinear, isZero, known, scalarLike } from '../rules.ts'
import { expanded, summedTo } from './broadcasting.ts'
import { and, eq, gt, lt } from './compare.ts'
import { selectLoop } from './loops.ts'
import { alignedBatch, elements, filled, stride, ternary } from './table.ts'

const run = (args: readonly NDArray[]): NDArray => bind1(selectPrimitive, args, {})
/** The case whose number `which` is: a bool or an integer, clamped to the cases there are. */
export const selectN = (which: NDArray, ...cases: NDArray[]): NDArray => run([which, ...cases])
/** `a` where the condition holds and `b` elsewhere. */
export const select = (condition: NDArray, a: NDArray, b: NDArray): NDArray => run([condition, b, a])

const selectPrimitive: Primitive<Record<never, never>> = definePrimitive({
  name: 'select_n',
  type([which, ...cases]) {
    if (cases.length === 0) throw new ShapeError(misuse('selectN', 'at least one case', 'none'))
    if (which!.dtype.startsWith('float') || which!.dtype === 'bfloat16') {
      throw new DtypeError(
        misuse('selectN', 'a bool or an integer to choose by', showAval(which!), 'compare it: x.gt(0)'),
      )
    }
    if (which!.dtype === 'bool' && cases.length > 2) {
      throw new ShapeError(misuse('selectN', 'at most two cases for a bool', `${cases.length}`, 'choose by an integer'))
    }
    return [{ ...commonType('selectN', cases), shape: commonShape('selectN', [which!, ...cases]) }]
  },
  jvp([which, ...cases], [, ...tangents]) {
    const out = selectN(which!, ...cases)
    const some = tangents.find((t) => !isZero(t))
    if (some === undefined || isZero(some)) return [[out], [new Zero(out.aval)]]
    const all = tangents.map((t) => (isZero(t) ? scalarLike(some, 0) : t))
    return [[out], [expanded(selectN(which!, ...all), out.shape)]]
  },
  transpose([ct], [which, ...cases]) {
    const condition = known('selectN', which!)
    return [
      null,
      ...cases.map((x, i) =>
        isLinear(x) ? (isZero(ct!) ? new Zero(x.aval) : pulled(ct!, condition, x, i, cases)) : null,
      ),
    ]
  },
  batch: alignedBatch(run),
  axes: (args, params, outs, derive) => [
    ...pointwise(args, params, outs, derive),
    ...keepsSums(args, range(args.length - 1, 1)),
  ],
  reference([which, ...cases], _, [out]) {
    const w = which!
    return [
      filled(out!, (data) => {
        if (cases.length === 2 && w.dtype === 'bool') {
          const [a, b] = [cases[0]!, cases[1]!]
          selectLoop(data, elements(w), stride(w), elements(a), stride(a), elements(b), stride(b))
          return
        }
        for (let i = 0; i < data.length; i++) {
          const choice = cases[Math.min(Math.max(w.data[i * stride(w)]!, 0), cases.length - 1)]!
          data[i] = choice.data[i * stride(choice)]!
        }
      }),
    ]
  },
})

/** The cotangent of case `i`: what arrives where it was chosen, zero elsewhere. */
function pulled(ct: NDArray, which: NDArray, x: Linear, i: number, cases: readonly unknown[]): NDArray {
  const zero = scalarLike(ct, 0)
  if (which.dtype === 'bool' && cases.length === 2)
    return summedTo(i === 0 ? select(which, zero, ct) : select(which, ct, zero), x.aval)
  if (cases.length === 1) return summedTo(ct, x.aval)
  return summedTo(select(eq(which, scalarLike(which, i)), ct, zero), x.aval)
}

/** `x` kept between `lo` and `hi`; `hi` where they cross. */
export const clamp: (lo: NDArray, x: NDArray, hi: NDArray) => NDArray = ternary('clamp', {
  accepts: 'any',
  f: (lo, x, hi) => Math.min(Math.max(x, lo), hi),
  jvp: [
    (t, lo, x, hi) => select(and(gt(lo!, x!), lt(lo!, hi!)), t, scalarLike(x!, 0)),
    (t, lo, x, hi) => select(and(gt(x!, lo!), lt(x!, hi!)), t, scalarLike(x!, 0)),
    (t, _, x, hi) => select(lt(hi!, x!), t, scalarLike(x!, 0)),
  ],
})
