/** Folding: operations whose operands are known and small are computed at once, by the reference rule. */
import {
  type Atom,
  type Aval,
  type ClosedJaxpr,
  ConcreteArray,
  type Equation,
  type HostArray,
  Literal,
  type NDArray,
  type TypedArray,
  Var,
  allocate,
  closed,
  fromHost,
  isEffectful,
  roundBfloat,
  roundHalf,
  sizeOf,
  subprograms,
  runnable,
} from '@fluxion/core'
import { elementwise, rearranging } from './elementwise.ts'
import { Writer, bytesOfAval, spread, substitutedAll, typesOf } from './rewrite.ts'
import { isMovable } from './scans/rewriteScans.ts'

/** A number as a host array of rank 0. */
function hostOf({ value, aval }: Literal): HostArray {
  const data = allocate(aval.dtype, 1)
  data[0] = aval.dtype === 'float16' ? roundHalf(value) : aval.dtype === 'bfloat16' ? roundBfloat(value) : value
  return { shape: [], dtype: aval.dtype, data }
}
const refuseRun = (): never => {
  throw new Error('an operation that holds a program is not folded')
}

/** The results of an operation on numbers, if they are scalars too. */
export function foldLiterals(equation: Equation): readonly Literal[] | undefined {
  const { primitive, inputs, params } = equation
  if (inputs.length === 0 || !inputs.every((atom) => atom instanceof Literal) || isEffectful(equation)) return undefined
  const outs: readonly Aval[] = typesOf(primitive, inputs, params)
  if (outs.some(({ shape }) => sizeOf(shape) !== 1 || shape.length > 0)) return undefined
  const results = resultsOf(
    equation,
    inputs.map((atom) => hostOf(atom as Literal)),
    outs,
  )
  return results.map(({ data }, i) => new Literal(data[0]!, outs[i]!))
}
const resultsOf = (
  { primitive, params }: Equation,
  operands: readonly HostArray[],
  outs: readonly Aval[],
): readonly HostArray[] => runnable(primitive).reference(operands, params, outs, refuseRun)

/** Arrays of more bytes are not looked at, and not made. */
const most = 1024
/** A value that is known, and whether making it takes more than arithmetic on numbers and indices. */
interface Known {
  readonly host: HostArray
  readonly worthKeeping: boolean
  /** It is a number spread, as it should be. */
  readonly isSpread?: boolean
}

/**
 * Fold small constant arrays: what follows from captured ones, or by more than arithmetic, becomes a captured array itself; what has equal
 * elements becomes a number. Only the outermost program is looked at, to which invariants of loops have been hoisted.
 */
export function foldConstants(program: ClosedJaxpr): ClosedJaxpr {
  const { jaxpr, consts } = program
  const known = new Map<Atom, Known>()
  jaxpr.constants.forEach((variable, i) => {
    const host = readable(consts[i]!)
    if (host !== undefined) known.set(variable, { host, worthKeeping: true })
  })
  const given = new Set<Atom>(jaxpr.constants)
  const knownOf = (atom: Atom): Known | undefined =>
    atom instanceof Literal ? { host: hostOf(atom), worthKeeping: false } : known.get(atom)

  const [writer, environment, captured] = [new Writer(), new Map<Var, Atom>(), new Map<Var, NDArray>()]
  /** What stands for a known value where it is read. */
  const replaced = (atom: Atom): void => {
    if (atom instanceof Literal || environment.has(atom)) return
    const value = known.get(atom)
    if (value === undefined || value.isSpread === true) return
    const number = value.host.data[0]
    if (number !== undefined && isUniform(value.host.data)) {
      const literal = new Literal(number, { shape: [], dtype: value.host.dtype, weakType: false })
      environment.set(atom, spread(writer, literal, value.host.shape))
    } else if (value.worthKeeping && !given.has(atom)) {
      const constant = new Var(atom.aval)
      captured.set(constant, fromHost(value.host))
      environment.set(atom, constant)
    }
  }
  for (const equation of jaxpr.equations) {
    const found = folded(equation, equation.inputs.map(knownOf))
    // What is known and costs nothing to make again is kept as it is, beside what is known of it.
    const isKept =
      found?.every(({ host, worthKeeping, isSpread }) => !isSpread && (worthKeeping || isUniform(host.data))) !== true
    equation.outputs.forEach(
      (variable, i) => found !== undefined && variable !== null && known.set(variable, found[i]!),
    )
    if (!isKept) continue
    equation.inputs.forEach(replaced)
    writer.add({ ...equation, inputs: substitutedAll(environment, equation.inputs) })
  }
  jaxpr.outputs.forEach(replaced)
  if (environment.size === 0) return program
  const constants = [...jaxpr.constants, ...captured.keys()]
  const outputs = substitutedAll(environment, jaxpr.outputs)
  return closed({ ...jaxpr, constants, equations: writer.equations, outputs }, [...consts, ...captured.values()])
}

/** The results of an operation on known values, if they are small. */
function folded(equation: Equation, operands: readonly (Known | undefined)[]): readonly Known[] | undefined {
  const { primitive, inputs, params } = equation
  if (operands.includes(undefined) || !isMovable(equation) || subprograms(params).length > 0) return undefined
  const outs = typesOf(primitive, inputs, params)
  if (outs.some((out) => bytesOfAval(out) > most)) return undefined
  const { name } = primitive
  const isCheap = elementwise.has(name) || rearranging.has(name) || name === 'iota'
  const worthKeeping = !isCheap || operands.some((operand) => operand!.worthKeeping)
  const results = resultsOf(
    equation,
    operands.map((operand) => operand!.host),
    outs,
  )
  const isSpread = name === 'broadcast_in_dim' && inputs[0] instanceof Literal
  return results.map((host) => ({ host, worthKeeping, isSpread }))
}
/** The elements of a captured array that is small, if the host can read them at once. */
function readable(x: NDArray): HostArray | undefined {
  if (!(x instanceof ConcreteArray) || bytesOfAval(x.aval) > most || x.buffer.backend.name === 'webgpu')
    return undefined
  return x.host
}
const isUniform = (data: TypedArray): boolean => data.length > 0 && data.every((value) => Object.is(value, data[0]))
