/** Checks that programs are what the rest relies on: variables bound once and before use, equations typed by their rules. */
import { FluxionError, InvariantError } from '../errors.ts'
import { type Aval, sameFullAval, showFullAval } from './aval.ts'
import {
  type Atom,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  type Var,
  inAvals,
  outAvals,
  subprograms,
} from './jaxpr.ts'
import { printAround } from './print.ts'

/**
 * Check a program and the programs inside it: every variable is bound once, and before it is read; the results of every equation
 * have the types that its primitive's rule gives; loops return the carry that they take; branches are of one type.
 *
 * @throws InvariantError that shows the equation that is wrong, with those around it
 * @example
 * ```ts
 * import { checkJaxpr, makeJaxpr, np } from 'fluxion'
 * checkJaxpr(makeJaxpr((x) => np.sin(x))(np.zeros([3]))) // => undefined
 * ```
 */
export function checkJaxpr({ jaxpr, consts }: ClosedJaxpr): void {
  expectTypes(
    'the constants',
    jaxpr.constants.map((v) => v.aval),
    consts.map((value) => value.aval),
  )
  const bound = new Set<Var>()
  for (const v of [...jaxpr.constants, ...jaxpr.inputs]) bindVariable(bound, v)
  jaxpr.equations.forEach((equation, i) => atEquation(jaxpr, i, () => checkEquation(equation, bound)))
  atEquation(jaxpr, jaxpr.equations.length, () => {
    for (const atom of jaxpr.outputs) checkBound(bound, atom)
  })
}

/** Run a check of an equation, or of the outputs after the last one, and show in its error where that was. */
export function atEquation(jaxpr: Jaxpr, index: number, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof FluxionError)) throw error
    const equation = jaxpr.equations[index]
    const where = equation === undefined ? 'the outputs' : `equation ${index} (${equation.primitive.name})`
    throw new InvariantError(`${error.message}\nin ${where} of\n${printAround(jaxpr, index)}`, { cause: error })
  }
}
/** Demand what every right program has. */
export function demand(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new InvariantError(message())
}

function bindVariable(bound: Set<Var>, v: Var): void {
  demand(!bound.has(v), () => `a variable ${showFullAval(v.aval)} is bound twice`)
  bound.add(v)
}
function checkBound(bound: ReadonlySet<Var>, atom: Atom): void {
  if (atom instanceof Literal)
    demand(atom.aval.shape.length === 0, () => `a literal is ${showFullAval(atom.aval)}, not a scalar`)
  else demand(bound.has(atom), () => `a variable ${showFullAval(atom.aval)} is read before it is bound`)
}
function checkEquation({ primitive, inputs, params, outputs }: Equation, bound: Set<Var>): void {
  for (const atom of inputs) checkBound(bound, atom)
  for (const program of subprograms(params)) checkJaxpr(program)
  const operands = inputs.map((atom) => atom.aval)
  holders[primitive.name]?.(operands, params as never)
  const types = primitive.type(operands, params as never)
  demand(
    types.length === outputs.length,
    () => `${primitive.name}: the rule gives ${types.length} results, the equation has ${outputs.length}`,
  )
  outputs.forEach((v, i) => {
    if (v === null) return
    demand(
      sameFullAval(v.aval, types[i]!),
      () => `${primitive.name}: result ${i} is ${showFullAval(v.aval)}, its rule gives ${showFullAval(types[i]!)}`,
    )
    bindVariable(bound, v)
  })
}
function expectTypes(what: string, expected: readonly Aval[], got: readonly Aval[]): void {
  const same = expected.length === got.length && expected.every((type, i) => sameFullAval(type, got[i]!))
  demand(same, () => `${what}: expected ${list(expected)}, got ${list(got)}`)
}
const list = (avals: readonly Aval[]): string => `(${avals.map(showFullAval).join(', ')})`

/** What primitives that hold programs demand of their operands and programs, beyond each program being right in itself. */
const holders: Readonly<Record<string, (operands: readonly Aval[], params: never) => void>> = {
  jit: checkCall,
  remat2: checkCall,
  custom_jvp_call: checkCall,
  custom_vjp_call: checkCall,
  scan(operands, { jaxpr, numConsts, numCarry }: { jaxpr: ClosedJaxpr; numConsts: number; numCarry: number }) {
    const scanned = operands.slice(numConsts + numCarry)
    const elements = scanned.map((type) => ({ ...type, shape: type.shape.slice(1) }))
    expectTypes('scan: the operands of the body', inAvals(jaxpr), [
      ...operands.slice(0, numConsts + numCarry),
      ...elements,
    ])
    const carry = operands.slice(numConsts, numConsts + numCarry)
    expectTypes('scan: the carry that the body returns', carry, outAvals(jaxpr).slice(0, numCarry))
  },
  while(
    operands,
    params: { condJaxpr: ClosedJaxpr; bodyJaxpr: ClosedJaxpr; condNconsts: number; bodyNconsts: number },
  ) {
    const { condJaxpr, bodyJaxpr, condNconsts, bodyNconsts } = params
    const carry = operands.slice(condNconsts + bodyNconsts)
    expectTypes('while: the operands of the condition', inAvals(condJaxpr), [
      ...operands.slice(0, condNconsts),
      ...carry,
    ])
    expectTypes('while: the operands of the body', inAvals(bodyJaxpr), operands.slice(condNconsts))
    expectTypes('while: the carry that the body returns', carry, outAvals(bodyJaxpr))
    expectTypes(
      'while: the result of the condition',
      [{ shape: [], dtype: 'bool', weakType: false }],
      outAvals(condJaxpr),
    )
  },
  cond([index, ...operands], { branches }: { branches: readonly ClosedJaxpr[] }) {
    demand(
      index?.dtype === 'int32' && index.shape.length === 0,
      () => `cond: expected an index i32[], got ${list(index === undefined ? [] : [index])}`,
    )
    branches.forEach((branch, i) => {
      expectTypes(`cond: the operands of branch ${i}`, inAvals(branch), operands)
      expectTypes(`cond: the results of branch ${i}`, outAvals(branches[0]!), outAvals(branch))
    })
  },
}
function checkCall(operands: readonly Aval[], params: { readonly jaxpr: ClosedJaxpr | undefined }): void {
  demand(params.jaxpr !== undefined, () => 'a call was staged out without its program')
  expectTypes('the operands of the called program', inAvals(params.jaxpr), operands)
}
