/**
 * Inlines calls at every depth, makes every value strong, and gathers the constants of all programs, inner ones too, as constants of the
 * outermost. What `checkpoint` wraps stays a call, which shields it from sharing, until `openCheckpoints` at the very end.
 */
import {
  type Atom,
  type Aval,
  type ClosedJaxpr,
  ConcreteArray,
  type Equation,
  type Jaxpr,
  Literal,
  type NDArray,
  type ScanParams,
  Var,
  type WhileParams,
  closed,
} from '@fluxion/core'
import { type Environment, Writer, mapPrograms, remembered, substituted } from './rewrite.ts'

const calls = new Set(['jit', 'custom_jvp_call', 'custom_vjp_call'])
const identities = new Set(['name', 'stop_gradient', 'copy'])
interface CallParams {
  readonly jaxpr: ClosedJaxpr
}
interface CheckpointParams extends CallParams {
  readonly preventCse: boolean
}

/** Inline all calls but those of `checkpoint`. */
export function inline(program: ClosedJaxpr): ClosedJaxpr {
  const inliner = new Inliner()
  const jaxpr = inliner.program(program)
  return closed({ ...jaxpr, constants: inliner.variables }, inliner.arrays)
}

const strong = (aval: Aval): Aval => (aval.weakType ? { ...aval, weakType: false } : aval)
const strongAtom = (atom: Atom): Atom =>
  atom.aval.weakType && atom instanceof Literal ? new Literal(atom.value, strong(atom.aval)) : atom
/** The number that a captured scalar is, if the host can read it at once. */
function numberOf(x: NDArray): number | undefined {
  if (!(x instanceof ConcreteArray) || x.aval.shape.length > 0) return undefined
  return x.literal ?? (x.buffer.backend.name === 'webgpu' ? undefined : x.item())
}

/** One level of programs: the outermost one, or a body with whatever is called from it. */
class Inliner {
  readonly #captured = new Map<NDArray, Var>()
  readonly #writer = new Writer()

  get variables(): Var[] {
    return [...this.#captured.values()]
  }
  get arrays(): NDArray[] {
    return [...this.#captured.keys()]
  }
  #capture(x: NDArray): Atom {
    const number = numberOf(x)
    if (number !== undefined) return new Literal(number, strong(x.aval))
    let variable = this.#captured.get(x)
    if (variable === undefined) this.#captured.set(x, (variable = new Var(strong(x.aval))))
    return variable
  }

  program(program: ClosedJaxpr): Jaxpr {
    const inputs = program.jaxpr.inputs.map(({ aval }) => new Var(strong(aval)))
    const outputs = this.#call(program, inputs)
    return { constants: [], inputs, equations: this.#writer.equations, outputs }
  }

  #call({ jaxpr, consts }: ClosedJaxpr, args: readonly Atom[]): Atom[] {
    const environment: Environment = new Map()
    jaxpr.constants.forEach((variable, i) => environment.set(variable, this.#capture(consts[i]!)))
    jaxpr.inputs.forEach((variable, i) => environment.set(variable, args[i]!))
    for (const equation of jaxpr.equations) this.#equation(equation, environment)
    return jaxpr.outputs.map((atom) => strongAtom(substituted(environment, atom)))
  }

  #equation(equation: Equation, environment: Environment): void {
    const { primitive, params, outputs, source } = equation
    const inputs = equation.inputs.map((atom) => strongAtom(substituted(environment, atom)))
    const define = (results: readonly Atom[]): void => {
      outputs.forEach((variable, i) => variable !== null && environment.set(variable, results[i]!))
    }
    if (identities.has(primitive.name)) {
      define(inputs)
      return
    }
    if (calls.has(primitive.name) || (primitive.name === 'remat2' && !(params as CheckpointParams).preventCse)) {
      define(this.#call((params as CallParams).jaxpr, inputs))
      return
    }
    const held = holders[primitive.name]
    const [operands, own] =
      held === undefined ? [inputs, params] : held(params as never, inputs, (x: NDArray) => this.#capture(x))
    const weak = (own as { weakType?: boolean }).weakType === true
    const fresh = outputs.map((variable) => (variable === null ? null : new Var(strong(variable.aval))))
    this.#writer.add({
      primitive,
      inputs: operands,
      params: weak ? { ...own, weakType: false } : own,
      outputs: fresh,
      source,
    })
    outputs.forEach((variable, i) => variable !== null && environment.set(variable, fresh[i]!))
  }
}

/** A program inside parameters with its calls inlined, and what it captured as its first inputs. */
interface Body {
  readonly program: ClosedJaxpr
  readonly arrays: readonly NDArray[]
}
function bodyOf(program: ClosedJaxpr): Body {
  const inliner = new Inliner()
  const jaxpr = inliner.program(program)
  return {
    program: closed({ ...jaxpr, inputs: [...inliner.variables, ...jaxpr.inputs] }),
    arrays: inliner.arrays,
  }
}

type Capture = (x: NDArray) => Atom
type Holder<P> = (params: P, inputs: readonly Atom[], capture: Capture) => readonly [readonly Atom[], object]
/** How operations that hold programs take what these captured: as further operands. */
const holders: Readonly<Record<string, Holder<never>>> = {
  scan(params: ScanParams, inputs, capture) {
    const { program, arrays } = bodyOf(params.jaxpr)
    return [
      [...arrays.map(capture), ...inputs],
      { ...params, jaxpr: program, numConsts: params.numConsts + arrays.length },
    ]
  },
  while(params: WhileParams, inputs, capture) {
    const [test, body] = [bodyOf(params.condJaxpr), bodyOf(params.bodyJaxpr)]
    const { condNconsts } = params
    return [
      [
        ...test.arrays.map(capture),
        ...inputs.slice(0, condNconsts),
        ...body.arrays.map(capture),
        ...inputs.slice(condNconsts),
      ],
      {
        condJaxpr: test.program,
        bodyJaxpr: body.program,
        condNconsts: condNconsts + test.arrays.length,
        bodyNconsts: params.bodyNconsts + body.arrays.length,
      },
    ]
  },
  cond(params: { branches: readonly ClosedJaxpr[] }, [index, ...inputs], capture) {
    const bodies = params.branches.map(bodyOf)
    const counts = bodies.map(({ arrays }) => arrays.length)
    // Each branch has inputs for what all of them captured, and reads its own.
    const branches = bodies.map(({ program: { jaxpr } }, b) => {
      const own = jaxpr.inputs.slice(0, counts[b])
      const all = bodies.flatMap(({ arrays }, other) =>
        other === b ? own : arrays.map(({ aval }) => new Var(strong(aval))),
      )
      return closed({ ...jaxpr, inputs: [...all, ...jaxpr.inputs.slice(counts[b])] })
    })
    return [[index!, ...bodies.flatMap(({ arrays }) => arrays.map(capture)), ...inputs], { branches }]
  },
  remat2(params: CheckpointParams, inputs, capture) {
    const { program, arrays } = bodyOf(params.jaxpr)
    return [[...arrays.map(capture), ...inputs], { ...params, jaxpr: program }]
  },
}

/** Inline what `checkpoint` wraps, at every depth: for after the last pass that shares or merges. */
export const openCheckpoints: (program: ClosedJaxpr) => ClosedJaxpr = remembered((program) => {
  const { jaxpr, consts } = program
  const writer = new Writer()
  const environment: Environment = new Map()
  let changed = false
  for (const equation of jaxpr.equations) {
    const inputs = equation.inputs.map((atom) => substituted(environment, atom))
    const params = mapPrograms(equation.params, openCheckpoints)
    if (params !== equation.params) changed = true
    if (equation.primitive.name === 'remat2') {
      changed = true
      const results = writer.inline((params as CallParams).jaxpr, inputs)
      equation.outputs.forEach((variable, i) => variable !== null && environment.set(variable, results[i]!))
    } else writer.add({ ...equation, inputs, params })
  }
  if (!changed) return program
  const outputs = jaxpr.outputs.map((atom) => substituted(environment, atom))
  return closed({ ...jaxpr, equations: writer.equations, outputs }, consts)
})
