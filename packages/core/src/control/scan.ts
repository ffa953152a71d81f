/** The `scan` primitive: a body run for each element along the leading axes of its inputs, with a carry. */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { allocate } from '../backend/reference/host.ts'
import { ShapeError } from '../errors.ts'
import { type Aval, showAval, strong } from '../ir/aval.ts'
import { type Atom, type ClosedJaxpr, type Jaxpr, inAvals, isEffectful, outAvals } from '../ir/jaxpr.ts'
import { type Primitive, type Tangent, Zero, definePrimitive } from '../primitive/define.ts'
import { addAny } from '../primitive/elementwise.ts'
import { isLinear, isZero } from '../primitive/rules.ts'
import { instantiate, zerosLike } from '../primitive/zeros.ts'
import { range, sizeOf } from '../shape.ts'
import { bind, bindLinear } from '../trace.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { fillZeros, jvpProgram, nonzeroOf, onlyNonzero } from '../transform/jvp.ts'
import { type Residual, linearizeProgram } from '../transform/linearize.ts'
import { closureConvert, eliminateDeadCode, relist, stage } from '../transform/staging.ts'
import { transposedProgram } from '../transform/transpose.ts'
import { batchedProgram, moveBatchAxis } from '../transform/vmap.ts'

export interface ScanParams {
  /** Inputs: constants, carry, one element of each scanned array. Results: the carry, then what is stacked. */
  readonly jaxpr: ClosedJaxpr
  readonly length: number
  readonly reverse: boolean
  readonly numConsts: number
  readonly numCarry: number
  /** A hint for back ends: how many steps to lay out at once. */
  readonly unroll: number
}

/** Split a list in consecutive parts of the given lengths; the rest is the last part. */
export function parts<T>(list: readonly T[], ...lengths: readonly number[]): T[][] {
  let at = 0
  return [...lengths.map((length) => list.slice(at, (at += length))), list.slice(at)]
}
const stacked = (a: Aval, length: number): Aval => ({ ...a, shape: [length, ...a.shape] })

export const scanPrimitive: Primitive<ScanParams> = definePrimitive<ScanParams>({
  name: 'scan',
  type(args, { jaxpr, length, numConsts, numCarry }) {
    const xs = args.slice(numConsts + numCarry)
    for (const x of xs) {
      if (x.shape[0] !== length)
        throw new ShapeError(`scan: expected scanned arrays with a leading axis of ${length}, got ${showAval(x)}`)
    }
    const [carry, ys] = parts(outAvals(jaxpr), numCarry) as [Aval[], Aval[]]
    return [...carry, ...ys.map((y) => stacked(y, length))]
  },

  jvp(primals, tangents, params) {
    const { jaxpr, numConsts, numCarry } = params
    const nonzero = carryFixpoint(
      nonzeroOf(tangents),
      params,
      (mask, force) => jvpProgram(jaxpr, mask, force).nonzeroOuts,
    )
    const force = forceCarry(nonzero, params)
    const { program, nonzeroOuts } = jvpProgram(jaxpr, nonzero, force)
    const given = instantiateCarry(tangents, nonzero, params)

    // Inputs come as primals then tangents; the loop wants them interleaved by kind.
    const [c, i, x] = parts(range(primals.length), numConsts, numCarry) as [number[], number[], number[]]
    const tangentAt = positions(nonzero, primals.length)
    const order = [c, i, x].map((kind) => [...kind, ...kind.filter((k) => nonzero[k]).map((k) => tangentAt[k]!)])
    const outs = outAvals(jaxpr)
    const outTangentAt = positions(nonzeroOuts, outs.length)
    const [oc, oy] = parts(range(outs.length), numCarry) as [number[], number[]]
    const outOrder = [oc, oy].flatMap((kind) => [
      ...kind,
      ...kind.filter((k) => nonzeroOuts[k]).map((k) => outTangentAt[k]!),
    ])
    const all = [...primals, ...onlyNonzero(given)]
    const results = bind(
      scanPrimitive,
      order.flat().map((k) => all[k]!),
      {
        ...params,
        jaxpr: relist(program, order.flat(), outOrder),
        numConsts: order[0]!.length,
        numCarry: order[1]!.length,
      },
    )
    const byPosition = new Map(outOrder.map((k, at) => [k, results[at]!]))
    const outPrimals = outs.map((_, k) => byPosition.get(k)!)
    return [
      outPrimals,
      outs.map((_, k) => (nonzeroOuts[k] ? byPosition.get(outTangentAt[k]!)! : zeroOf(outPrimals[k]!))),
    ]
  },

  linearize(primals, tangents, params) {
    const { jaxpr, numConsts, numCarry, length } = params
    const nonzero = carryFixpoint(
      nonzeroOf(tangents),
      params,
      (mask, force) => linearizeProgram(jaxpr, mask, force).nonzeroOuts,
    )
    const { primal, tangent, residuals, nonzeroOuts } = linearizeProgram(jaxpr, nonzero, forceCarry(nonzero, params))
    const outs = outAvals(jaxpr)
    const [consts] = parts(primals, numConsts) as [NDArray[]]

    const sources = residuals.map((residual) => residualSource(residual, params, primal))
    const hoisted = hoist(
      primal,
      numConsts,
      sources.flatMap((source) => (source.kind === 'hoisted' ? [source.index] : [])),
    )
    const hoistedValues = evalJaxpr(hoisted, consts)[Symbol.iterator]()
    const { program: body, at } = stackResiduals(primal, outs.length, numCarry, sources)
    const results = bind(scanPrimitive, primals, { ...params, jaxpr: body })
    const values = sources.map((source, i): NDArray => {
      switch (source.kind) {
        case 'value':
          return source.value
        case 'input':
          return primals[source.index]!
        case 'hoisted':
          return hoistedValues.next().value as NDArray
        case 'stacked':
          return results[at[i]!]!
      }
    })
    const isConst = sources.map(
      (source) =>
        source.kind === 'value' || source.kind === 'hoisted' || (source.kind === 'input' && source.index < numConsts),
    )

    const linear = (given: readonly Tangent[]): readonly Tangent[] => {
      const all = [...values, ...onlyNonzero(instantiateCarry(given, nonzero, params))]
      const at = positions(nonzero, residuals.length)
      const [tc, ti, tx] = parts(range(primals.length), numConsts, numCarry).map((kind) =>
        kind.filter((k) => nonzero[k]).map((k) => at[k]!),
      ) as [number[], number[], number[]]
      const residualAt = range(residuals.length)
      const order = [
        [...residualAt.filter((k) => isConst[k]), ...tc],
        ti,
        [...residualAt.filter((k) => !isConst[k]), ...tx],
      ] as const
      const flat = order.flat()
      const loop = { ...params, jaxpr: relist(tangent, flat), numConsts: order[0].length, numCarry: ti.length, length }
      return fillZeros(
        nonzeroOuts,
        bindLinear(
          scanPrimitive,
          flat.map((k) => all[k]!),
          loop,
        ),
        outs.map((a, k) => (k < numCarry ? a : stacked(a, length))),
      )
    }
    return [results.slice(0, outs.length), linear]
  },

  transpose(cts, args, params) {
    const { jaxpr, numConsts, numCarry, length, reverse } = params
    const [consts, , xs] = parts(range(args.length), numConsts, numCarry) as [number[], number[], number[]]
    // A carry is linear even if it starts from a known zero.
    const linear = args.map((arg, i) => isLinear(arg) || (i >= numConsts && i < numConsts + numCarry))
    const [linearConsts, linearXs] = [consts.filter((i) => linear[i]), xs.filter((i) => linear[i])]
    const [knownConsts, knownXs] = [consts.filter((i) => !linear[i]), xs.filter((i) => !linear[i])]
    const avals = inAvals(jaxpr).map(strong)
    const outs = outAvals(jaxpr)
    const nonzeroCts = outs.map((_, i) => i < numCarry || !isZero(cts[i]!))
    const ys = range(outs.length).filter((i) => i >= numCarry && nonzeroCts[i])
    const { program: back, nonzeroOuts } = transposedProgram(jaxpr, linear, nonzeroCts)

    // One step backwards: known constants; sums of constants' cotangents and the carry's; cotangents of stacked results and known inputs.
    const linearInputs = range(args.length).filter((i) => linear[i])
    const nonzeroX = linearXs.filter((i) => nonzeroOuts[linearInputs.indexOf(i)])
    const stepAvals = [
      ...knownConsts.map((i) => avals[i]!),
      ...linearConsts.map((i) => avals[i]!),
      ...range(numCarry).map((i) => strong(outs[i]!)),
      ...ys.map((i) => strong(outs[i]!)),
      ...knownXs.map((i) => avals[i]!),
    ]
    const staged = stage(
      'scan',
      (given) => {
        const [kc, sums, carry, yCts, kx] = parts(
          given,
          knownConsts.length,
          linearConsts.length,
          numCarry,
          ys.length,
        ) as [NDArray[], NDArray[], NDArray[], NDArray[], NDArray[]]
        const inCts = fillZeros(
          nonzeroOuts,
          evalJaxpr(back, [...kc, ...kx, ...carry, ...yCts]),
          linearInputs.map((i) => avals[i]!),
        )
        const ctOf = (i: number): Tangent => inCts[linearInputs.indexOf(i)]!
        const added = linearConsts.map((i, k) => {
          const ct = ctOf(i)
          return isZero(ct) ? sums[k]! : addAny(sums[k]!, ct)
        })
        return [
          ...added,
          ...range(numCarry).map((i) => instantiate(ctOf(numConsts + i))),
          ...nonzeroX.map((i) => instantiate(ctOf(i))),
        ]
      },
      stepAvals,
    )
    // what a backward rule of the user's closes over
    const [step, closedOver] = closureConvert(staged)
    const value = (i: number): NDArray => args[i] as NDArray
    const results = bind(
      scanPrimitive,
      [
        ...closedOver,
        ...knownConsts.map(value),
        ...linearConsts.map((i) => zerosLike(avals[i]!)),
        ...range(numCarry).map((i) => instantiate(cts[i]!)),
        ...ys.map((i) => cts[i] as NDArray),
        ...knownXs.map(value),
      ],
      {
        ...params,
        jaxpr: step,
        length,
        reverse: !reverse,
        numConsts: closedOver.length + knownConsts.length,
        numCarry: linearConsts.length + numCarry,
      },
    )
    const result = new Map<number, NDArray>()
    ;[...linearConsts, ...range(numCarry, numConsts), ...nonzeroX].forEach((i, k) => result.set(i, results[k]!))
    return args.map((arg, i) => (isLinear(arg) ? (result.get(i) ?? zeroOf(arg)) : null))
  },

  batch(args, dims, params, { size, name }) {
    const { jaxpr, numConsts, numCarry } = params
    const given = dims.map((dim) => dim !== null)
    const batched = carryFixpoint(
      given,
      params,
      (mask, force) => batchedProgram(jaxpr, mask, size, name ?? null, force).batchedOuts,
    )
    const { program, batchedOuts } = batchedProgram(jaxpr, batched, size, name ?? null, forceCarry(batched, params))
    const moved = args.map((arg, i) =>
      batched[i] ? moveBatchAxis(arg, dims[i]!, i < numConsts + numCarry ? 0 : 1, size) : arg,
    )
    return [
      bind(scanPrimitive, moved, { ...params, jaxpr: program }),
      batchedOuts.map((is, i) => (is ? (i < numCarry ? 0 : 1) : null)),
    ]
  },

  // the scanned dimension is not split: a step needs the carry of the one before
  axes: (args, params, outs, derive) =>
    derive(
      args,
      outs,
      [{ program: params.jaxpr, inputs: range(args.length), outputs: range(outs.length) }],
      range(params.numCarry).map((i) => [params.numConsts + i, i] as const),
    ).map(({ parts: programs, ...factor }) => ({
      ...factor,
      part: (span) => ({ ...params, jaxpr: programs(span)[0]! }),
    })),
  reference(args, { jaxpr, length, reverse, numConsts, numCarry }, outs, run) {
    const [consts, init, xs] = parts(args, numConsts, numCarry) as [HostArray[], HostArray[], HostArray[]]
    const ys = outs
      .slice(numCarry)
      .map((out) => ({ shape: out.shape, dtype: out.dtype, data: allocate(out.dtype, sizeOf(out.shape)) }))
    let carry: readonly HostArray[] = init
    for (let step = 0; step < length; step++) {
      const at = reverse ? length - 1 - step : step
      const results = run(jaxpr, [...consts, ...carry, ...xs.map((x) => elementAt(x, at))])
      carry = results.slice(0, numCarry)
      results.slice(numCarry).forEach((y, i) => ys[i]!.data.set(y.data, at * y.data.length))
    }
    return [...carry, ...ys]
  },
})

const zeroOf = (x: { readonly aval: Aval }): Zero => new Zero(x.aval)

/** One element along the leading axis, sharing memory. */
export function elementAt({ shape, dtype, data }: HostArray, at: number): HostArray {
  const inner = shape.slice(1)
  const size = sizeOf(inner)
  return { shape: inner, dtype, data: data.subarray(at * size, (at + 1) * size) }
}

/** Which inputs are affected (by tangents, by a batch), grown until the carry that comes out is no more affected than the one that goes in. */
function carryFixpoint(
  given: readonly boolean[],
  { numConsts, numCarry }: Pick<ScanParams, 'numConsts' | 'numCarry'>,
  outsOf: (mask: boolean[], force: boolean[]) => readonly boolean[],
): boolean[] {
  let mask = [...given]
  for (;;) {
    const outs = outsOf(mask, forceCarry(mask, { numConsts, numCarry }))
    const grown = mask.map((is, i) => is || (i >= numConsts && i < numConsts + numCarry && outs[i - numConsts]!))
    if (grown.every((is, i) => is === mask[i])) return mask
    mask = grown
  }
}
/** Carry results must be affected where the carry that goes in is. */
const forceCarry = (
  mask: readonly boolean[],
  { numConsts, numCarry }: Pick<ScanParams, 'numConsts' | 'numCarry'>,
): boolean[] => mask.slice(numConsts, numConsts + numCarry)

/** Make tangents of the carry that the fixpoint found to be needed. */
const instantiateCarry = (
  tangents: readonly Tangent[],
  nonzero: readonly boolean[],
  { numConsts, numCarry }: ScanParams,
): readonly Tangent[] =>
  tangents.map((t, i) => (nonzero[i] && i >= numConsts && i < numConsts + numCarry ? instantiate(t) : t))

/** Where, behind `before` other values, the k-th value stands if only those named by the mask are listed. */
function positions(mask: readonly boolean[], before: number): (number | undefined)[] {
  let next = before
  return mask.map((is) => (is ? next++ : undefined))
}

/**
 * How the backward loop gets a residual: a plain value; an input of the loop as it is; computed once before the loop, since it depends on
 * constants alone; or stacked by the loop, from a result of its body or from the carry that goes in.
 */
type Source =
  | { readonly kind: 'value'; readonly value: NDArray }
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'hoisted'; readonly index: number }
  | { readonly kind: 'stacked'; readonly atom: Atom }

function residualSource(residual: Residual, { numConsts, numCarry }: ScanParams, { jaxpr }: ClosedJaxpr): Source {
  if (residual.from === 'value') return { kind: 'value', value: residual.value }
  const { index } = residual
  if (residual.from === 'output') {
    const atom = jaxpr.outputs[index]!
    return varying(jaxpr, numConsts).has(atom) ? { kind: 'stacked', atom } : { kind: 'hoisted', index }
  }
  const isCarry = index >= numConsts && index < numConsts + numCarry
  return isCarry ? { kind: 'stacked', atom: jaxpr.inputs[index]! } : { kind: 'input', index }
}

/** What depends on inputs other than the first `numConsts`. */
function varying(jaxpr: Jaxpr, numConsts: number): Set<Atom> {
  const found = new Set<Atom>(jaxpr.inputs.slice(numConsts))
  for (const { inputs, outputs } of jaxpr.equations) {
    if (inputs.some((atom) => found.has(atom)))
      for (const variable of outputs) if (variable !== null) found.add(variable)
  }
  return found
}

/** The program from the first `numConsts` inputs to the named results, which depend on no others. */
function hoist({ jaxpr, consts }: ClosedJaxpr, numConsts: number, results: readonly number[]): ClosedJaxpr {
  const fixed = varying(jaxpr, numConsts)
  const equations = jaxpr.equations.filter(
    (equation) =>
      !isEffectful(equation) && !equation.outputs.some((variable) => variable !== null && fixed.has(variable)),
  )
  const outputs = results.map((i) => jaxpr.outputs[i]!)
  return {
    jaxpr: eliminateDeadCode({ ...jaxpr, inputs: jaxpr.inputs.slice(0, numConsts), equations, outputs }),
    consts,
  }
}

/** The body with the residuals to be stacked as further results; one that is a stacked result already is not stacked twice. */
function stackResiduals(
  { jaxpr, consts }: ClosedJaxpr,
  count: number,
  numCarry: number,
  sources: readonly Source[],
): { program: ClosedJaxpr; at: (number | undefined)[] } {
  const outputs = jaxpr.outputs.slice(0, count)
  const at = sources.map((source) => {
    if (source.kind !== 'stacked') return undefined
    const known = outputs.indexOf(source.atom, numCarry)
    return known >= 0 ? known : outputs.push(source.atom) - 1
  })
  return { program: { jaxpr: eliminateDeadCode({ ...jaxpr, outputs }), consts }, at }
}
