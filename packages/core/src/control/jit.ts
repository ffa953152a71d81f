/** The `jit` primitive: a call of a program as one operation, which back ends compile. */
import { ConcreteArray, type NDArray } from '../array.ts'
import { type DeviceName, backend, backendNamed } from '../backend/devices.ts'
import type { Backend, Buffer, Executable } from '../backend/interface.ts'
import { type ClosedJaxpr, type Jaxpr, outAvals } from '../ir/jaxpr.ts'
import { ofProgram } from '../primitive/axes.ts'
import { type Primitive, type Tangent, definePrimitive } from '../primitive/define.ts'
import { isLinear } from '../primitive/rules.ts'
import { bind, bindLinear, bufferOn, concreteOf, refuseNans } from '../trace.ts'
import { log, logs } from '../log.ts'
import { recorded, recording } from '../profiler/recording.ts'
import { fillZeros, jvpProgram, nonzeroOf, onlyNonzero } from '../transform/jvp.ts'
import { linearizeProgram, residualValues } from '../transform/linearize.ts'
import { spreadCotangents, transposedProgram } from '../transform/transpose.ts'
import { batchedProgram, moveBatchAxis } from '../transform/vmap.ts'

export interface JitParams {
  readonly name: string
  readonly jaxpr: ClosedJaxpr
  /** Where it runs, if not where everything does. */
  readonly device?: DeviceName | undefined
  /** Operands, by number, that nobody uses after the call. */
  readonly donated?: readonly number[] | undefined
}

export const jitPrimitive: Primitive<JitParams> = definePrimitive<JitParams>({
  name: 'jit',
  type: (_, { jaxpr }) => outAvals(jaxpr),
  direct(args, { name, jaxpr, device, donated }) {
    const on = device === undefined ? backend() : backendNamed('jit', device)
    const run = executableOf(name, jaxpr, on, donated)
    const inputs = args.map((arg) => bufferOn(on, concreteOf(arg)))
    const call = (): Buffer[] => run(inputs)
    const buffers =
      recording() === undefined
        ? call()
        : recorded({ name: `jit(${name})`, category: 'call', args: { device: on.name } }, call)
    const results = jaxpr.jaxpr.outputs.map(({ aval }, i) => new ConcreteArray(aval, buffers[i]!))
    refuseNans(name, results)
    return results
  },
  jvp(primals, tangents, { name, jaxpr }) {
    const { program, nonzeroOuts } = jvpProgram(jaxpr, nonzeroOf(tangents))
    const outs = bind(jitPrimitive, [...primals, ...onlyNonzero(tangents)], { name, jaxpr: program })
    const avals = outAvals(jaxpr)
    return [outs.slice(0, avals.length), fillZeros(nonzeroOuts, outs.slice(avals.length), avals)]
  },
  linearize(primals, tangents, { name, jaxpr }) {
    const { primal, tangent, residuals, nonzeroOuts } = linearizeProgram(jaxpr, nonzeroOf(tangents))
    const avals = outAvals(jaxpr)
    const outs = bind(jitPrimitive, primals, { name, jaxpr: primal })
    const values = residualValues(residuals, primals, outs)
    const linear = (given: readonly Tangent[]): readonly Tangent[] => {
      const args = [...values, ...onlyNonzero(given)]
      return fillZeros(nonzeroOuts, bindLinear(jitPrimitive, args, { name, jaxpr: tangent }), avals)
    }
    return [outs.slice(0, avals.length), linear]
  },
  transpose(cts, args, { name, jaxpr }) {
    const { program, nonzeroOuts } = transposedProgram(jaxpr, args.map(isLinear), nonzeroOf(cts))
    const known = args.filter((arg): arg is NDArray => !isLinear(arg))
    return spreadCotangents(
      args,
      nonzeroOuts,
      bind(jitPrimitive, [...known, ...onlyNonzero(cts)], { name, jaxpr: program }),
    )
  },
  batch(args, dims, { name, jaxpr }, { size, name: axis }) {
    const { program, batchedOuts } = batchedProgram(
      jaxpr,
      dims.map((dim) => dim !== null),
      size,
      axis ?? null,
    )
    const moved = args.map((arg, i) => (dims[i] === null ? arg : moveBatchAxis(arg, dims[i]!, 0, size)))
    return [bind(jitPrimitive, moved, { name, jaxpr: program }), batchedOuts.map((is) => (is ? 0 : null))]
  },
  axes: ofProgram(
    ({ jaxpr }) => jaxpr,
    (params, jaxpr) => ({ ...params, jaxpr }),
  ),
  reference: (args, { jaxpr }, _, run) => run(jaxpr, args),
  show: ({ name, jaxpr }) => ({ name, jaxpr }),
})

// Programs are compiled once for each back end, and forgotten with the program.
const executables = new WeakMap<
  Jaxpr,
  Map<Backend, { readonly donated: readonly number[]; readonly run: Executable }>
>()
/** How long a program took to trace, in milliseconds, for the log. */
export const traceTimes: WeakMap<Jaxpr, number> = new WeakMap()
const none: readonly number[] = []
function executableOf(name: string, program: ClosedJaxpr, on: Backend, donated: readonly number[] = none): Executable {
  let known = executables.get(program.jaxpr)
  if (known === undefined) executables.set(program.jaxpr, (known = new Map()))
  const found = known.get(on)
  if (found?.donated === donated) return found.run
  const start = performance.now()
  const run = recorded({ name: `compile jit(${name})`, category: 'compile', args: { device: on.name } }, () =>
    on.compile(program, name, donated),
  )
  known.set(on, { donated, run })
  if (logs('compile')) {
    const traced = traceTimes.get(program.jaxpr)
    const times = [
      ...(traced === undefined ? [] : [`traced in ${shownTime(traced)}`]),
      `compiled in ${shownTime(performance.now() - start)}`,
    ]
    log(`jit(${name}) on ${on.name}: ${program.jaxpr.equations.length} equations, ${times.join(', ')}`)
  }
  return run
}
const shownTime = (milliseconds: number): string => `${milliseconds.toFixed(1)} ms`
