/** The analysis: facts of every variable of a program, those of the programs inside it included; of carries, what stays true at every step. */
import {
  type Atom,
  type ClosedJaxpr,
  type CondParams,
  type Equation,
  Literal,
  type ScanParams,
  type Var,
  type WhileParams,
  isClosedJaxpr,
} from '@fluxion/core'
import { split } from '../rewrite.ts'
import { type Fact, factOfNumber, joinWhole, limitsOf, sameFact, unknown } from './fact.ts'
import { factsOfResults } from './rules.ts'

export interface Facts {
  of(atom: Atom): Fact
}

/** What is known of the variables of a program whose inputs may be anything. */
export function factsOf(program: ClosedJaxpr): Facts {
  const analysis = new Analysis()
  analysis.program(
    program,
    program.jaxpr.inputs.map(({ aval }) => unknown(aval)),
  )
  return analysis
}

/** Ranges of carries that still grow after so many rounds are given up. */
const patience = 4

class Analysis implements Facts {
  readonly #facts = new Map<Var, Fact>()

  of(atom: Atom): Fact {
    if (atom instanceof Literal) return factOfNumber(atom)
    return this.#facts.get(atom) ?? unknown(atom.aval)
  }

  /** Several equations may hold a program, and run it several times: what is known holds each time. */
  #learn(variable: Var, found: Fact): void {
    const before = this.#facts.get(variable)
    this.#facts.set(variable, before === undefined ? found : joinWhole(variable.aval, before, found))
  }

  /** Facts of the results, given those of the inputs. */
  program({ jaxpr }: ClosedJaxpr, inputs: readonly Fact[]): Fact[] {
    jaxpr.constants.forEach((variable) => this.#learn(variable, unknown(variable.aval)))
    jaxpr.inputs.forEach((variable, i) => this.#learn(variable, inputs[i]!))
    for (const equation of jaxpr.equations) {
      const results = this.#equation(
        equation,
        equation.inputs.map((atom) => this.of(atom)),
      )
      equation.outputs.forEach((variable, i) => variable !== null && this.#learn(variable, results[i]!))
    }
    return jaxpr.outputs.map((atom) => this.of(atom))
  }

  #equation(equation: Equation, facts: readonly Fact[]): Fact[] {
    const { primitive, params } = equation
    switch (primitive.name) {
      case 'scan':
        return this.#scan(params as ScanParams, facts)
      case 'while':
        return this.#while(params as WhileParams, facts)
      case 'cond': {
        const results = (params as CondParams).branches.map(
          (branch) => [branch, this.program(branch, facts.slice(1))] as const,
        )
        return results
          .map(([, list]) => list)
          .reduce((a, b) => a.map((f, i) => joinWhole(results[0]![0].jaxpr.outputs[i]!.aval, f, b[i]!)))
      }
      default: {
        const { jaxpr } = params as { readonly jaxpr?: unknown }
        return isClosedJaxpr(jaxpr) ? this.program(jaxpr, facts) : factsOfResults(equation, facts)
      }
    }
  }

  /** Facts of a carry that hold at the start, and after each step if they held before it. */
  #fixpoint(avals: readonly Atom[], start: readonly Fact[], step: (carry: readonly Fact[]) => readonly Fact[]): Fact[] {
    let carry = [...start]
    for (let round = 0; ; round++) {
      const next = step(carry)
      const joined = carry.map((f, i) => {
        const { aval } = avals[i]!
        const both = joinWhole(aval, f, next[i]!)
        const grows = both.range?.[0] !== f.range?.[0] || both.range?.[1] !== f.range?.[1]
        const limits = limitsOf(aval.dtype)
        return round >= patience && grows && limits !== undefined ? { ...unknown(aval), constant: both.constant } : both
      })
      if (joined.every((f, i) => sameFact(f, carry[i]!))) return joined
      carry = joined
    }
  }

  #scan({ jaxpr, numConsts, numCarry }: ScanParams, facts: readonly Fact[]): Fact[] {
    const [consts, init, xs] = split(facts, numConsts, numCarry) as [Fact[], Fact[], Fact[]]
    const run = (carry: readonly Fact[]): Fact[] => this.program(jaxpr, [...consts, ...carry, ...xs])
    const carry = this.#fixpoint(jaxpr.jaxpr.outputs, init, run)
    const results = run(carry)
    // What is equal everywhere in each step may differ between steps.
    const ys = results.slice(numCarry).map((f) => ({ ...f, constant: false }))
    return [...carry, ...ys]
  }

  #while({ condJaxpr, bodyJaxpr, condNconsts, bodyNconsts }: WhileParams, facts: readonly Fact[]): Fact[] {
    const [condConsts, bodyConsts, init] = split(facts, condNconsts, bodyNconsts) as [Fact[], Fact[], Fact[]]
    const carry = this.#fixpoint(bodyJaxpr.jaxpr.outputs, init, (before) =>
      this.program(bodyJaxpr, [...bodyConsts, ...before]),
    )
    this.program(condJaxpr, [...condConsts, ...carry])
    return carry
  }
}
