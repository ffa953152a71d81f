/** The `while` primitive: a body run as long as a condition on its carry holds. It can be differentiated forwards only. */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { MissingRuleError } from '../errors.ts'
import type { Aval } from '../ir/aval.ts'
import { type ClosedJaxpr, Var, inAvals, outAvals } from '../ir/jaxpr.ts'
import { type Primitive, type Tangent, Zero, definePrimitive } from '../primitive/define.ts'
import { reduceOr } from '../primitive/reduce.ts'
import { instantiate } from '../primitive/zeros.ts'
import { selectN } from '../primitive/elementwise.ts'
import { range } from '../shape.ts'
import { bind, bindLinear } from '../trace.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { jvpProgram, nonzeroOf, onlyNonzero } from '../transform/jvp.ts'
import { relist, stage } from '../transform/staging.ts'
import { alongBatch, batchedProgram, moveBatchAxis } from '../transform/vmap.ts'
import { parts } from './scan.ts'

export interface WhileParams {
  /** Inputs: its constants, then the carry; one boolean result. */
  readonly condJaxpr: ClosedJaxpr
  /** Inputs: its constants, then the carry; the result is the carry. */
  readonly bodyJaxpr: ClosedJaxpr
  readonly condNconsts: number
  readonly bodyNconsts: number
}

export const whilePrimitive: Primitive<WhileParams> = definePrimitive<WhileParams>({
  name: 'while',
  type: (_, { bodyJaxpr }) => outAvals(bodyJaxpr),
  jvp(primals, tangents, params) {
    const { args, loop, carryNonzero, count } = pushed(primals, tangents, params)
    const outs = bind(whilePrimitive, args, loop)
    let next = count
    return [outs.slice(0, count), carryNonzero.map((is, i) => (is ? outs[next++]! : new Zero(outs[i]!.aval)))]
  },
  linearize(primals, tangents, params) {
    const outs = bind(whilePrimitive, primals, params)
    const linear = (given: readonly Tangent[]): readonly Tangent[] => {
      // The tangents' loop repeats the function's: residuals of an unknown number of steps cannot be stacked.
      const { args, loop, carryNonzero, count } = pushed(primals, given, params)
      const all = bindLinear(whilePrimitive, args, loop)
      let next = count
      return carryNonzero.map((is, i) => (is ? all[next++]! : new Zero(outs[i]!.aval)))
    }
    return [outs, linear]
  },
  transpose() {
    throw new MissingRuleError(
      'while: reverse-mode differentiation does not work for lax.whileLoop, or for lax.foriLoop with traced bounds: the number of steps is not known beforehand\n' +
        'hint: use lax.scan, or lax.foriLoop with numbers as bounds',
    )
  },
  batch(args, dims, params, { size, name }) {
    const { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts } = params
    const given = dims.map((dim) => dim !== null)
    const [condBatched, bodyBatched, initBatched] = parts(given, condNconsts, bodyNconsts) as [
      boolean[],
      boolean[],
      boolean[],
    ]
    let carry = initBatched
    let predicate = false
    for (;;) {
      const cond = batchedProgram(condJaxpr, [...condBatched, ...carry], size, name ?? null)
      predicate = cond.batchedOuts[0]!
      const body = batchedProgram(bodyJaxpr, [...bodyBatched, ...carry], size, name ?? null, carry)
      // With a batched condition every carry is selected per element, and so becomes batched.
      const grown = body.batchedOuts.map((is) => is || predicate)
      if (grown.every((is, i) => is === carry[i])) break
      carry = grown
    }
    const cond = batchedProgram(condJaxpr, [...condBatched, ...carry], size, name ?? null).program
    const body = batchedProgram(bodyJaxpr, [...bodyBatched, ...carry], size, name ?? null, carry).program
    const batched = [...condBatched, ...bodyBatched, ...carry]
    const moved = args.map((arg, i) => (batched[i] ? moveBatchAxis(arg, dims[i]!, 0, size) : arg))
    const loop = predicate ? untilAllDone(cond, body, params) : { ...params, condJaxpr: cond, bodyJaxpr: body }
    const operands = predicate ? [...moved.slice(0, condNconsts), ...moved] : moved
    return [bind(whilePrimitive, operands, loop), carry.map((is) => (is ? 0 : null))]
  },
  axes(args, params, outs, derive) {
    const { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts } = params
    const first = condNconsts + bodyNconsts
    const carry = range(outs.length, first)
    return derive(
      args,
      outs,
      [
        { program: condJaxpr, inputs: [...range(condNconsts), ...carry], outputs: [null] },
        {
          program: bodyJaxpr,
          inputs: [...range(bodyNconsts, condNconsts), ...carry],
          outputs: range(outs.length),
        },
      ],
      carry.map((operand, result) => [operand, result] as const),
    ).map(({ parts: programs, ...factor }) => ({
      ...factor,
      part(span) {
        const [cond, body] = programs(span) as [ClosedJaxpr, ClosedJaxpr]
        return { ...params, condJaxpr: cond, bodyJaxpr: body }
      },
    }))
  },
  reference(args, { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts }, _, run) {
    const [condConsts, bodyConsts, init] = parts(args, condNconsts, bodyNconsts) as [
      HostArray[],
      HostArray[],
      HostArray[],
    ]
    let carry: readonly HostArray[] = init
    while (run(condJaxpr, [...condConsts, ...carry])[0]!.data[0] !== 0)
      carry = run(bodyJaxpr, [...bodyConsts, ...carry])
    return carry
  },
})

/** The loop over carry and tangents of the carry. */
function pushed(
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts }: WhileParams,
): { args: NDArray[]; loop: WhileParams; carryNonzero: boolean[]; count: number } {
  const [condConsts, bodyConsts, init] = parts(primals, condNconsts, bodyNconsts) as [NDArray[], NDArray[], NDArray[]]
  const [, bodyTangents, initTangents] = parts(tangents, condNconsts, bodyNconsts) as [Tangent[], Tangent[], Tangent[]]
  const bodyNonzero = nonzeroOf(bodyTangents)
  let carryNonzero = nonzeroOf(initTangents)
  for (;;) {
    const { nonzeroOuts } = jvpProgram(bodyJaxpr, [...bodyNonzero, ...carryNonzero], carryNonzero)
    if (nonzeroOuts.every((is, i) => is === carryNonzero[i])) break
    carryNonzero = [...nonzeroOuts]
  }
  const { program } = jvpProgram(bodyJaxpr, [...bodyNonzero, ...carryNonzero], carryNonzero)
  const constTangents = onlyNonzero(bodyTangents)
  const carryTangents = initTangents.filter((_, i) => carryNonzero[i]).map(instantiate)

  // Inputs of the pushed body: constants, carry, tangents of constants, tangents of the carry.
  const [c, i, tc, ti] = parts(
    range(program.jaxpr.inputs.length),
    bodyConsts.length,
    init.length,
    constTangents.length,
  ) as [number[], number[], number[], number[]]
  const loop = {
    condJaxpr: withUnusedInputs(
      condJaxpr,
      carryTangents.map((t) => t.aval),
    ),
    bodyJaxpr: relist(program, [...c, ...tc, ...i, ...ti]),
    condNconsts,
    bodyNconsts: bodyConsts.length + constTangents.length,
  }
  return {
    args: [...condConsts, ...bodyConsts, ...constTangents, ...init, ...carryTangents],
    loop,
    carryNonzero,
    count: init.length,
  }
}
const withUnusedInputs = ({ jaxpr, consts }: ClosedJaxpr, avals: readonly Aval[]): ClosedJaxpr => ({
  jaxpr: { ...jaxpr, inputs: [...jaxpr.inputs, ...avals.map((a) => new Var(a))] },
  consts,
})

/** With a condition per element: run until all are done, and let those that are keep their carry. */
function untilAllDone(cond: ClosedJaxpr, body: ClosedJaxpr, { condNconsts, bodyNconsts }: WhileParams): WhileParams {
  const [condConsts, carry] = parts(inAvals(cond), condNconsts) as [Aval[], Aval[]]
  const bodyConsts = inAvals(body).slice(0, bodyNconsts)
  const condJaxpr = stage('vmap', (args) => [reduceOr(evalJaxpr(cond, args)[0]!, [0])], inAvals(cond))
  const bodyJaxpr = stage(
    'vmap',
    (args) => {
      const [cc, bc, old] = parts(args, condNconsts, bodyNconsts) as [NDArray[], NDArray[], NDArray[]]
      const running = evalJaxpr(cond, [...cc, ...old])[0]!
      return evalJaxpr(body, [...bc, ...old]).map((next, i) => selectN(alongBatch(running, next), old[i]!, next))
    },
    [...condConsts, ...bodyConsts, ...carry],
  )
  return { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts: condNconsts + bodyNconsts }
}
