/** Single operations, as eager code runs them: a program of each, and keys that two share exactly when one program does for both. */
import { type AnyPrimitive, type Aval, type ClosedJaxpr, type Jaxpr, Literal, Var } from '@fluxion/core'

// Functions and arrays are known by identity.
const identities = new WeakMap<object, number>()
let next = 0
function identity(x: object): number {
  let known = identities.get(x)
  if (known === undefined) identities.set(x, (known = next++))
  return known
}

const avalText = ({ dtype, weakType, shape }: Aval): string => `${dtype}${weakType ? '*' : ''}[${shape.join()}]`

/** A text for a parameter: data by value, programs by structure, anything else by identity. */
function paramText(x: unknown): string {
  if (typeof x === 'number') return Object.is(x, -0) ? '-0' : `${x}`
  if (typeof x === 'string') return JSON.stringify(x)
  if (typeof x !== 'object' && typeof x !== 'function') return `${String(x)}`
  if (x === null) return 'null'
  if (Array.isArray(x)) return `[${x.map(paramText).join()}]`
  if (Object.getPrototypeOf(x) !== Object.prototype) return `@${identity(x)}`
  if ('equations' in x) return jaxprText(x as Jaxpr)
  let text = '{'
  for (const name in x) text += `${name}:${paramText((x as Record<string, unknown>)[name])},`
  return text + '}'
}
const jaxprTexts = new WeakMap<Jaxpr, string>()
function jaxprText(jaxpr: Jaxpr): string {
  let text = jaxprTexts.get(jaxpr)
  if (text === undefined) jaxprTexts.set(jaxpr, (text = writeJaxpr(jaxpr)))
  return text
}
function writeJaxpr({ constants, inputs, equations, outputs }: Jaxpr): string {
  const numbers = new Map<Var, number>()
  const bound = (v: Var): string => {
    numbers.set(v, numbers.size)
    return avalText(v.aval)
  }
  const atom = (x: Var | Literal): string =>
    x instanceof Literal ? `${paramText(x.value)}:${avalText(x.aval)}` : `#${numbers.get(x)}`
  const lines = [constants.map(bound).join(), inputs.map(bound).join()]
  for (const { primitive, inputs: operands, params, outputs: results } of equations) {
    const line = `${primitive.name}(${operands.map(atom).join()})${paramText(params)}`
    lines.push(`${line}->${results.map((v) => (v === null ? '_' : bound(v))).join()}`)
  }
  return `<${[...lines, outputs.map(atom).join()].join(';')}>`
}

/** The key of one operation on operands of these types. */
export function operationKey(primitive: AnyPrimitive, inAvals: readonly Aval[], params: object): string {
  let key = primitive.name
  for (const aval of inAvals) key += ';' + avalText(aval)
  return key + paramText(params)
}

/** A program of one operation. */
export function operationProgram(
  primitive: AnyPrimitive,
  inAvals: readonly Aval[],
  outAvals: readonly Aval[],
  params: object,
): ClosedJaxpr {
  const inputs = inAvals.map((aval) => new Var(aval))
  const outputs = outAvals.map((aval) => new Var(aval))
  const equation = { primitive, inputs, params, outputs, source: undefined }
  return { jaxpr: { constants: [], inputs, equations: [equation], outputs }, consts: [] }
}
