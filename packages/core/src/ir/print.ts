/** Programs as text, in the grammar, with the names and with the line breaks of JAX 0.10. */
import { isFloat } from '../dtype.ts'
import { showAval } from './aval.ts'
import { type Atom, type ClosedJaxpr, type Equation, type Jaxpr, Literal, Var, isClosedJaxpr } from './jaxpr.ts'
import { type Doc, concat, group, join, layOut, lineBreak, nest } from './layout.ts'

const width = 80

/**
 * Print a program as JAX does: constants, inputs, one equation a line, results.
 *
 * @example
 * ```ts
 * import { makeJaxpr, np, printJaxpr } from 'fluxion'
 * printJaxpr(makeJaxpr((x) => np.sin(x))(np.zeros([3]))) // => '{ lambda ; a:f32[3]. let b:f32[3] = sin a in (b,) }'
 * ```
 */
export function printJaxpr({ jaxpr }: ClosedJaxpr): string {
  const names = new Names(jaxpr)
  const shared = sharedPrograms(jaxpr)
  names.reserve(shared.values())
  const printer: Printer = { names, shared }
  const definitions = [...shared].map(([inner, name]) =>
    concat('let ', name, ' = ', program(inner, printer), ' in', lineBreak()),
  )
  return layOut(concat(...definitions, program(jaxpr, printer)), width)
}

/** Print the equations around the one at `index`, with `...` for those left out. */
export function printAround(jaxpr: Jaxpr, index: number, reach = 5): string {
  const printer: Printer = { names: new Names(jaxpr), shared: new Map() }
  const [from, to] = [Math.max(0, index - reach), Math.min(jaxpr.equations.length, index + reach + 1)]
  const lines = (): Doc[] => [
    ...(from > 0 ? ['...'] : []),
    ...jaxpr.equations.slice(from, to).map((equation) => equationDoc(equation, printer)),
    ...(to < jaxpr.equations.length ? ['...'] : []),
  ]
  return layOut(skeleton(jaxpr, lines, printer), width)
}

interface Printer {
  readonly names: Names
  /** Programs that stand once, in front, under these names. */
  readonly shared: ReadonlyMap<Jaxpr, string>
}

/** Names of variables, given in the order in which variables are first printed. */
class Names {
  readonly #names = new Map<Var, string>()
  readonly #reserved = new Set<string>()
  #next = 0

  /** Results that a program does not use print as `_`. */
  constructor({ equations, outputs }: Jaxpr) {
    const used = new Set<Atom>(outputs)
    for (const { inputs } of equations) for (const atom of inputs) used.add(atom)
    for (const equation of equations)
      for (const v of equation.outputs) if (v !== null && !used.has(v)) this.#names.set(v, '_')
  }
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#reserved.add(name)
  }
  of(v: Var | null): string {
    if (v === null) return '_'
    let name = this.#names.get(v)
    if (name === undefined) this.#names.set(v, (name = this.#fresh()))
    return name
  }
  /** Let the variables of a called program be named like those of the call. */
  suggest(variables: readonly Atom[], like: readonly (Atom | null)[]): void {
    if (variables.length !== like.length) return
    const taken = new Set<Atom>()
    variables.forEach((v, i) => {
      const other = like[i]!
      if (!(v instanceof Var) || other instanceof Literal || (other !== null && taken.has(other)) || this.#names.has(v))
        return
      if (other !== null) taken.add(other)
      this.#names.set(v, this.of(other))
    })
  }
  #fresh(): string {
    for (;;) {
      const name = alphabetic(this.#next++)
      if (!this.#reserved.has(name)) return name
    }
  }
}
/** a, b, …, z, ba, bb, …: numbers with letters for digits, of which `a` is nought. */
function alphabetic(n: number): string {
  const last = String.fromCharCode(97 + (n % 26))
  return n < 26 ? last : alphabetic(Math.floor(n / 26)) + last
}

/** A program of more equations than this is not printed inside another. */
const longest = 10
/** The programs inside a program that are used several times or are long, with names of their own. */
function sharedPrograms(whole: Jaxpr): Map<Jaxpr, string> {
  const visits = new Map<Jaxpr, number>()
  const called = new Map<Jaxpr, string>()
  const queue = [whole]
  // Grows while it is walked: breadth first.
  for (const jaxpr of queue) {
    const visit = (visits.get(jaxpr) ?? 0) + 1
    visits.set(jaxpr, visit)
    // What is inside a program used twice is so too; walking it yet again would tell nothing new.
    if (visit > 2) continue
    for (const equation of jaxpr.equations) {
      const shown = showParams(equation)
      const name = shown.find(([key]) => key === 'name')?.[1]
      for (const inner of shown.flatMap(([, value]) => programsIn(value))) {
        queue.push(inner)
        if (typeof name === 'string' && !called.has(inner)) called.set(inner, name.replace(/^[<>]+|[<>]+$/g, ''))
      }
    }
  }
  const shared = new Map<Jaxpr, string>()
  const taken = new Map<string, number>()
  const take = (name: string): number => {
    const before = taken.get(name) ?? 0
    taken.set(name, before + 1)
    return before
  }
  for (const [jaxpr, count] of visits) {
    if (count === 1 && (jaxpr === whole || jaxpr.equations.length <= longest)) continue
    const name = called.get(jaxpr) ?? 'jaxpr'
    const before = take(name)
    if (before > 0) take(`${name}${before}`)
    shared.set(jaxpr, before === 0 ? name : `${name}${before}`)
  }
  return shared
}
const programsIn = (value: unknown): Jaxpr[] =>
  (Array.isArray(value) ? value : [value]).filter(isClosedJaxpr).map(({ jaxpr }) => jaxpr)

const program = (jaxpr: Jaxpr, printer: Printer): Doc =>
  skeleton(jaxpr, () => jaxpr.equations.map((equation) => equationDoc(equation, printer)), printer)
/** A program around its equations, which are printed after its inputs, so that these are named first. */
function skeleton(jaxpr: Jaxpr, equations: () => readonly Doc[], printer: Printer): Doc {
  const constants = binders(jaxpr.constants, printer)
  const inputs = binders(jaxpr.inputs, printer)
  const body = join(lineBreak('; '), equations())
  const outputs = concat(
    '(',
    variables(
      jaxpr.outputs.map((atom) => atomText(atom, printer)),
      ',',
    ),
    jaxpr.outputs.length === 1 ? ',)' : ')',
  )
  const inside = concat(
    '{ lambda ',
    constants,
    '; ',
    inputs,
    '. let',
    nest(2, concat(lineBreak(), body)),
    lineBreak(),
    'in ',
    outputs,
  )
  return group(concat(nest(2, inside), ' }'))
}

function equationDoc(equation: Equation, printer: Printer): Doc {
  const { primitive, inputs, outputs } = equation
  const shown = showParams(equation)
  if (primitive.name === 'jit') likeNames(shown, inputs, outputs, printer)
  const results = outputs.length === 0 ? '' : concat(binders(outputs, printer, unusedTypes(equation)), ' = ')
  const parameters = paramsDoc(shown, printer)
  const operands = variables(
    inputs.map((atom) => atomText(atom, printer)),
    '',
  )
  return concat(results, primitive.name, parameters, ' ', operands)
}
/** A result that is not used has no variable, and so no type of its own: the type rule knows it. */
function unusedTypes({ primitive, inputs, params, outputs }: Equation): readonly string[] {
  if (!outputs.includes(null)) return []
  try {
    return primitive
      .type(
        inputs.map((atom) => atom.aval),
        params as never,
      )
      .map(showAval)
  } catch {
    // Equations that are wrong print too: that is how they are reported.
    return outputs.map(() => '?')
  }
}
function likeNames(
  shown: readonly Shown[],
  inputs: readonly Atom[],
  outputs: readonly (Var | null)[],
  { names, shared }: Printer,
): void {
  for (const [, value] of shown) {
    if (!isClosedJaxpr(value) || shared.has(value.jaxpr)) continue
    names.suggest(value.jaxpr.inputs, inputs)
    names.suggest(value.jaxpr.outputs, outputs)
  }
}

const variables = (texts: readonly string[], separator: string): Doc =>
  nest(2, group(join(concat(separator, group(lineBreak())), texts)))
const binders = (list: readonly (Var | null)[], { names }: Printer, types: readonly string[] = []): Doc =>
  variables(
    list.map((v, i) => `${names.of(v)}:${v === null ? types[i] : showAval(v.aval)}`),
    '',
  )

const atomText = (atom: Atom, { names }: Printer): string =>
  atom instanceof Literal ? `${literalText(atom)}:${showAval(atom.aval)}` : names.of(atom)
function literalText({ value, aval }: Literal): string {
  if (aval.dtype === 'bool') return value === 0 ? 'False' : 'True'
  return isFloat(aval.dtype) ? floatText(value) : String(value)
}
/** A float as Python writes it. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string]
  const power = Number(exponent)
  if (value !== 0 && (power < -4 || power >= 16))
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  const plain = power >= 0 ? value.toString() : value.toFixed(mantissa.replace(/\D/g, '').length - 1 - power)
  return plain.includes('.') ? plain : `${plain}.0`
}

type Shown = readonly [key: string, value: unknown]
/** The parameters that print, in order: a name first, then the others sorted by theirs in snake case. */
function showParams({ primitive, inputs, params }: Equation): Shown[] {
  const operands = inputs.map((atom) => atom.aval)
  const shown = Object.entries(primitive.show?.(params as never, operands) ?? params)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]): Shown => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value])
  return shown.sort(([a], [b]) => (a === 'name' ? -1 : b === 'name' ? 1 : a < b ? -1 : 1))
}
function paramsDoc(shown: readonly Shown[], printer: Printer): Doc {
  if (shown.length === 0) return ''
  const pairs = shown.map(([key, value]) => concat(key, '=', paramDoc(value, printer)))
  return group(concat(nest(2, concat('[', lineBreak(''), join(lineBreak(), pairs))), lineBreak(''), ']'))
}
function paramDoc(value: unknown, printer: Printer): Doc {
  if (isClosedJaxpr(value)) return printer.shared.get(value.jaxpr) ?? program(value.jaxpr, printer)
  if (Array.isArray(value) && value.length > 0 && value.every(isClosedJaxpr)) {
    const branches = value.map((branch) => paramDoc(branch, printer))
    return group(concat(nest(2, concat('(', lineBreak(''), join(lineBreak(), branches))), lineBreak(''), ')'))
  }
  return typeof value === 'string' ? value : plainText(value)
}
/** A value as Python writes it inside of another. */
function plainText(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : floatText(value)
  if (typeof value === 'function') return `<function ${value.name === '' ? '<lambda>' : value.name}>`
  if (Array.isArray(value))
    return value.length === 1 ? `(${plainText(value[0])},)` : `(${value.map(plainText).join(', ')})`
  return `{${Object.entries(value)
    .map(([key, item]) => `${plainText(key)}: ${plainText(item)}`)
    .join(', ')}}`
}
