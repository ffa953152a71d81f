/** The `cond` primitive: one of several programs, chosen by an index. */
import type { NDArray } from '../array.ts'
import { type Aval, sameFullAval } from '../ir/aval.ts'
import { type ClosedJaxpr, inAvals, outAvals } from '../ir/jaxpr.ts'
import { type Primitive, type Tangent, definePrimitive } from '../primitive/define.ts'
import { eq, selectN } from '../primitive/elementwise.ts'
import { isLinear, scalarLike } from '../primitive/rules.ts'
import { zerosLike } from '../primitive/zeros.ts'
import { range } from '../shape.ts'
import { bind, bindLinear } from '../trace.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { fillZeros, jvpProgram, nonzeroOf, onlyNonzero } from '../transform/jvp.ts'
import { type LinearizedProgram, linearizeProgram } from '../transform/linearize.ts'
import { stage } from '../transform/staging.ts'
import { stopDiscarded } from '../primitive/stop.ts'
import { spreadCotangents, transposedProgram } from '../transform/transpose.ts'
import { alongBatch, batchedProgram, moveBatchAxis } from '../transform/vmap.ts'

export interface CondParams {
  readonly branches: readonly ClosedJaxpr[]
}

/** Operands: an int32 index, clamped to the branches there are, then what the branches take. */
export const condPrimitive: Primitive<CondParams> = definePrimitive<CondParams>({
  name: 'cond',
  type: (_, { branches }) => outAvals(branches[0]!),
  jvp([index, ...primals], [, ...tangents], { branches }) {
    const avals = outAvals(branches[0]!)
    const nonzero = nonzeroOf(tangents)
    const union = unionOf(branches.map((branch) => jvpProgram(branch, nonzero).nonzeroOuts))
    const pushed = branches.map((branch) => jvpProgram(branch, nonzero, union).program)
    const outs = bind(condPrimitive, [index!, ...primals, ...onlyNonzero(tangents)], { branches: pushed })
    return [outs.slice(0, avals.length), fillZeros(union, outs.slice(avals.length), avals)]
  },
  linearize([index, ...primals], [, ...tangents], { branches }) {
    const avals = outAvals(branches[0]!)
    const nonzero = nonzeroOf(tangents)
    const union = unionOf(branches.map((branch) => linearizeProgram(branch, nonzero).nonzeroOuts))
    const parts = branches.map((branch) => linearizeProgram(branch, nonzero, union))
    const { slots, placed } = mergeResiduals(parts, avals.length)
    const outs = bind(condPrimitive, [index!, ...primals], {
      branches: parts.map((part, b) => primalBranch(part, avals.length, slots, placed[b]!)),
    })
    const stacked = outs.slice(avals.length)
    const linear = ([, ...given]: readonly Tangent[]): readonly Tangent[] => {
      const ts = onlyNonzero(given)
      const needed = range(primals.length).filter((i) =>
        parts.some(({ residuals }) => residuals.some((residual) => residual.from === 'input' && residual.index === i)),
      )
      const kept = needed.map((i) => primals[i]!)
      const linearBranches = parts.map((part, b) =>
        tangentBranch(
          part,
          slots,
          placed[b]!,
          needed,
          kept.map((x) => x.aval),
          ts.map((t) => t.aval),
        ),
      )
      return fillZeros(
        union,
        bindLinear(condPrimitive, [index!, ...stacked, ...kept, ...ts], { branches: linearBranches }),
        avals,
      )
    }
    return [outs.slice(0, avals.length), linear]
  },
  transpose(cts, [index, ...args], { branches }) {
    const linear = args.map(isLinear)
    const nonzero = nonzeroOf(cts)
    const union = unionOf(branches.map((branch) => transposedProgram(branch, linear, nonzero).nonzeroOuts))
    const transposed = branches.map((branch) => transposedProgram(branch, linear, nonzero, union).program)
    const known = args.filter((arg): arg is NDArray => !isLinear(arg))
    const outs = bind(condPrimitive, [index as NDArray, ...known, ...onlyNonzero(cts)], { branches: transposed })
    return [null, ...spreadCotangents(args, union, outs)]
  },
  batch([index, ...args], [indexDim, ...dims], { branches }, { size, name }) {
    const axis = name ?? null
    if (indexDim !== null) {
      // Every branch runs. What a branch gets for elements that chose another must not send gradients back: a NaN would come along.
      const at = moveBatchAxis(index!, indexDim!, 0, size)
      const moved = args.map((arg, i) => moveBatchAxis(arg, dims[i]!, 0, size))
      const all = moved.map(() => true)
      const results = branches.map((branch, b) => {
        const chosen = eq(at, scalarLike(at, b))
        const safe = moved.map((x) => selectN(alongBatch(chosen, x), stopDiscarded(x), x))
        return evalJaxpr(
          batchedProgram(
            branch,
            all,
            size,
            axis,
            outAvals(branch).map(() => true),
          ).program,
          safe,
        )
      })
      const outs = results[0]!.map((first, i) => selectN(alongBatch(at, first), ...results.map((of) => of[i]!)))
      return [outs, outs.map(() => 0)]
    }
    const batched = dims.map((dim) => dim !== null)
    const union = unionOf(branches.map((branch) => batchedProgram(branch, batched, size, axis).batchedOuts))
    const programs = branches.map((branch) => batchedProgram(branch, batched, size, axis, union).program)
    const moved = args.map((arg, i) => (batched[i] ? moveBatchAxis(arg, dims[i]!, 0, size) : arg))
    return [bind(condPrimitive, [index!, ...moved], { branches: programs }), union.map((is) => (is ? 0 : null))]
  },
  // every part has the whole index, and so takes the same branch
  axes: (args, { branches }, outs, derive) =>
    derive(
      args,
      outs,
      branches.map((program) => ({ program, inputs: range(args.length - 1, 1), outputs: range(outs.length) })),
    ).map(({ parts, ...factor }) => ({ ...factor, part: (span) => ({ branches: parts(span) }) })),
  reference: ([index, ...args], { branches }, _, run) =>
    run(branches[clampIndex(index!.data[0]!, branches.length)]!, args),
})
const clampIndex = (index: number, count: number): number => Math.min(Math.max(index, 0), count - 1)
const unionOf = (masks: readonly (readonly boolean[])[]): boolean[] =>
  masks[0]!.map((_, i) => masks.some((mask) => mask[i]))

/** Slots for what the branches keep for their tangents; branches share a slot where types allow. `placed[b]` maps a branch's extra results to slots. */
function mergeResiduals(branches: readonly LinearizedProgram[], count: number): { slots: Aval[]; placed: number[][] } {
  const slots: Aval[] = []
  const placed = branches.map(({ primal }) => {
    const taken = new Set<number>()
    return outAvals(primal)
      .slice(count)
      .map((aval) => {
        let slot = slots.findIndex((other, k) => !taken.has(k) && sameFullAval(other, aval))
        if (slot < 0) slot = slots.push(aval) - 1
        taken.add(slot)
        return slot
      })
  })
  return { slots, placed }
}
/** A branch that fills all slots: with its own residuals, the others with zeros. */
const primalBranch = (
  { primal }: LinearizedProgram,
  count: number,
  slots: readonly Aval[],
  placed: readonly number[],
): ClosedJaxpr =>
  stage(
    'cond',
    (args) => {
      const outs = evalJaxpr(primal, args)
      return [
        ...outs.slice(0, count),
        ...slots.map((aval, k) => (placed.includes(k) ? outs[count + placed.indexOf(k)]! : zerosLike(aval))),
      ]
    },
    inAvals(primal),
  )
/** A branch's tangent program on the common operands: slots, the primals that any branch needs, tangents. */
const tangentBranch = (
  { tangent, residuals, nonzeroOuts }: LinearizedProgram,
  slots: readonly Aval[],
  placed: readonly number[],
  needed: readonly number[],
  primalAvals: readonly Aval[],
  tangentAvals: readonly Aval[],
): ClosedJaxpr => {
  const count = nonzeroOuts.length
  return stage(
    'cond',
    (args) => {
      const primals = args.slice(slots.length, slots.length + primalAvals.length)
      const values = residuals.map((residual) =>
        residual.from === 'value'
          ? residual.value
          : residual.from === 'input'
            ? primals[needed.indexOf(residual.index)]!
            : args[placed[residual.index - count]!]!,
      )
      return evalJaxpr(tangent, [...values, ...args.slice(slots.length + primals.length)])
    },
    [...slots, ...primalAvals, ...tangentAvals],
  )
}
