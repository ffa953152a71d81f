/** Sums over steps as carries that add up terms element by element. Half floats are added up as float32. */
import { type Atom, type DType, type Equation, Literal, Var } from '@fluxion/core'
import { type Writer, equationOf, primitiveNamed, spread } from '../rewrite.ts'

export interface SumCarry {
  readonly carry: Var
  /** What the body does besides, to make the carry's next value. */
  readonly equations: readonly Equation[]
  readonly next: Var
}

const sumDType = (dtype: DType): DType => (dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype)
const convert = (x: Atom, newDtype: DType, source?: Error): Equation & { readonly outputs: readonly Var[] } =>
  equationOf(primitiveNamed('convert_element_type'), [x], { newDtype, weakType: x.aval.weakType }, source)

/** The carry that adds up a value of each step. */
export function sumCarry(value: Atom, source: Error | undefined): SumCarry {
  const dtype = sumDType(value.aval.dtype)
  const carry = new Var({ ...value.aval, dtype })
  const equations: Equation[] = []
  let term = value
  if (dtype !== value.aval.dtype) {
    const converted = convert(value, dtype, source)
    equations.push(converted)
    term = converted.outputs[0]!
  }
  const sum = equationOf(primitiveNamed('add'), [carry, term], {}, source)
  return { carry, equations: [...equations, sum], next: sum.outputs[0]! }
}
/** Where it starts. */
export const zerosFor = ({ carry: { aval } }: SumCarry, to: Writer): Atom =>
  spread(to, new Literal(0, { shape: [], dtype: aval.dtype, weakType: false }), aval.shape)

/** What a sum over some axes as well is, given what has been added up. */
export function totalOf(sum: Atom, axes: readonly number[], { params, inputs, source }: Equation, to: Writer): Atom {
  const total = axes.length === 0 ? sum : to.emit('reduce_sum', [sum], { ...params, axes }, source)[0]!
  const { dtype } = inputs[0]!.aval
  if (total.aval.dtype === dtype) return total
  const back = convert(total, dtype, source)
  to.add(back)
  return back.outputs[0]!
}
