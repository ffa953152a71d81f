/**
 * Shares common subexpressions: of equations of one primitive with equal parameters and operands the first stays. Never those with
 * effects, and nothing across the border of a checkpoint, whose whole point is to compute again.
 */
import {
  type Atom,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  closed,
  isClosedJaxpr,
  isEffectful,
} from '@fluxion/core'
import { type Environment, mapPrograms, remembered, substitutedAll } from './rewrite.ts'

export const share: (program: ClosedJaxpr) => ClosedJaxpr = remembered((program) => {
  const { jaxpr, consts } = program
  const environment: Environment = new Map()
  const names = new Names()
  const seen = new Map<string, Equation>()
  const equations: Equation[] = []
  let changed = false
  for (const given of jaxpr.equations) {
    const inputs = substitutedAll(environment, given.inputs)
    const params = mapPrograms(given.params, share)
    const equation = inputs === given.inputs && params === given.params ? given : { ...given, inputs, params }
    if (equation !== given) changed = true
    if (!isShareable(equation)) {
      equations.push(equation)
      continue
    }
    const key = keyOf(equation, names)
    const at = seen.get(key)
    if (at === undefined) {
      seen.set(key, equation)
      equations.push(equation)
      continue
    }
    changed = true
    // What the first one left unused, this one may use.
    const outputs = at.outputs.map((variable, i) => variable ?? equation.outputs[i]!)
    if (outputs.some((variable, i) => variable !== at.outputs[i])) {
      const merged = { ...at, outputs }
      equations[equations.indexOf(at)] = merged
      seen.set(key, merged)
    }
    equation.outputs.forEach((variable, i) => {
      if (variable !== null && outputs[i] !== variable) environment.set(variable, outputs[i]!)
    })
  }
  if (!changed) return program
  return closed({ ...jaxpr, equations, outputs: substitutedAll(environment, jaxpr.outputs) }, consts)
})

const isShareable = (equation: Equation): boolean =>
  equation.primitive.name !== 'remat2' &&
  equation.primitive.name !== 'pure_callback' &&
  !holdsCheckpoint(equation) &&
  !isEffectful(equation)
const holdsCheckpoint = ({ params }: Equation): boolean => {
  let found = false
  mapPrograms(params, (inner) => {
    found ||= inner.jaxpr.equations.some(
      (equation) => equation.primitive.name === 'remat2' || holdsCheckpoint(equation),
    )
    return inner
  })
  return found
}

const commutative = new Set(['add', 'add_any', 'mul', 'max', 'min', 'and', 'or', 'xor', 'eq', 'ne'])

/** Variables by number. */
class Names {
  readonly #names = new Map<Atom, number>()
  of(atom: Atom): string {
    if (atom instanceof Literal) {
      const { value, aval } = atom
      return `${aval.dtype}:${Object.is(value, -0) ? '-0' : value}`
    }
    let name = this.#names.get(atom)
    if (name === undefined) this.#names.set(atom, (name = this.#names.size))
    return `v${name}`
  }
}
function keyOf({ primitive: { name }, inputs, params }: Equation, names: Names): string {
  const operands = inputs.map((atom) => names.of(atom))
  // Tangents are added as values are.
  const called = name === 'add_any' ? 'add' : name
  return `${called}(${(commutative.has(name) ? operands.sort() : operands).join()})${keyOfParams(params)}`
}

/** Keys of parameters, which stay what they are from pass to pass. */
const paramsKeys = new WeakMap<object, string>()
function keyOfParams(params: object): string {
  let found = paramsKeys.get(params)
  if (found === undefined) paramsKeys.set(params, (found = valueKey(params)))
  return found
}

const identities = new WeakMap<object, number>()
let nextIdentity = 0
function identityOf(value: object): number {
  let found = identities.get(value)
  if (found === undefined) identities.set(value, (found = nextIdentity++))
  return found
}
/** Equal for values of equal structure; functions, and objects of classes, are equal to themselves only. */
function valueKey(value: unknown): string {
  if (typeof value === 'function') return `#${identityOf(value)}`
  if (typeof value === 'number' && Object.is(value, -0)) return '-0'
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? JSON.stringify(value) : String(value)
  if (Array.isArray(value)) return `[${value.map(valueKey).join()}]`
  if (isClosedJaxpr(value))
    return value.consts.length > 0 ? `#${identityOf(value.jaxpr)}` : `%${programKey(value.jaxpr)}`
  if (Object.getPrototypeOf(value) !== Object.prototype) return `#${identityOf(value)}`
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${key}:${valueKey((value as Record<string, unknown>)[key])}`)
    .join()}}`
}

const programs = new WeakMap<Jaxpr, number>()
const programsByText = new Map<string, WeakRef<Jaxpr>>()
const forgotten = new FinalizationRegistry<string>((text) => {
  if (programsByText.get(text)?.deref() === undefined) programsByText.delete(text)
})
/** A number that programs of equal structure share. */
function programKey(jaxpr: Jaxpr): number {
  let found = programs.get(jaxpr)
  if (found !== undefined) return found
  const names = new Names()
  const avals = (atoms: readonly (Atom | null)[]): string =>
    atoms
      .map((atom) => (atom === null ? '_' : `${names.of(atom)}:${atom.aval.dtype}[${atom.aval.shape.join()}]`))
      .join()
  const text = [
    avals(jaxpr.inputs),
    ...jaxpr.equations.map((equation) => `${keyOf(equation, names)}=>${avals(equation.outputs)}`),
    avals(jaxpr.outputs),
  ].join(';')
  const twin = programsByText.get(text)?.deref()
  found = twin === undefined ? nextIdentity++ : programs.get(twin)!
  if (twin === undefined) {
    programsByText.set(text, new WeakRef(jaxpr))
    forgotten.register(jaxpr, text)
  }
  programs.set(jaxpr, found)
  return found
}
