// The checks of the sweep: each rule of a row against what it must agree with.
import {
  type AnyPrimitive,
  type ConcreteArray,
  type DType,
  type HostArray,
  NDArray,
  type Primitive,
  allocate,
  currentTrace,
  evalShape,
  isFloat,
  jit,
  jvp,
  linearTranspose,
  linearize,
  np,
  tree,
  vmap,
} from 'fluxion'
import { checkGrads, expectClose } from '@fluxion/testing'
import { expect } from 'vitest'
import { type Case, type Run, makeOperand } from './cases.ts'

/** How a case calls its primitive. */
const runOf = (row: AnyPrimitive, one: Case): Run =>
  one.run ?? ((...args) => currentTrace().process(row, args, one.params!))
const listed = (out: NDArray | readonly NDArray[]): NDArray[] => (out instanceof NDArray ? [out] : [...out])
export const listRun = (row: AnyPrimitive, one: Case) => {
  const run = runOf(row, one)
  return (...args: NDArray[]): NDArray[] => listed(run(...args))
}
export const operandsOf = (one: Case, dtype: DType): NDArray[] =>
  one.operands.map((operand, i) => makeOperand(operand, dtype, 1000 * i + 1))
const hostOf = (x: NDArray): HostArray => (x as ConcreteArray).host

/** The host array is stored as its dtype must be, with elements that it can hold. */
function expectWellStored({ shape, dtype, data }: HostArray): void {
  expect(data).toBeInstanceOf(allocate(dtype, 0).constructor)
  expect(data.length).toBe(shape.reduce((a, b) => a * b, 1))
  if (dtype === 'bool') expect([...data].every((x) => x === 0 || x === 1)).toBe(true)
  if (dtype === 'float16' || dtype === 'bfloat16') expect(np.array(data, { dtype }).dataSync()).toEqual(data)
}

/** The reference gives the types that the type rule promises, and so do eager calls and traced ones. */
export function checkTypes(row: AnyPrimitive, one: Case, dtype: DType): void {
  const args = operandsOf(one, dtype)
  const run = listRun(row, one)
  const outs = run(...args)
  for (const out of outs) expectWellStored(hostOf(out))
  const traced = evalShape((...xs: NDArray[]) => run(...xs), ...args) as unknown as { shape: number[]; dtype: DType }[]
  expect(outs.map(({ aval }) => aval)).toEqual(traced)
  if (one.params === undefined || (row as Primitive).direct !== undefined) return
  const avals = (row as Primitive).type(
    args.map(({ aval }) => aval),
    one.params,
  )
  const noPrograms = (): never => {
    throw new Error('this row holds no programs')
  }
  const hosts = (row as Primitive).reference(args.map(hostOf), one.params, avals, noPrograms)
  expect(hosts.map(({ shape, dtype: of }) => ({ shape: [...shape], dtype: of }))).toEqual(
    avals.map(({ shape, dtype: of }) => ({ shape: [...shape], dtype: of })),
  )
  hosts.forEach(expectWellStored)
}

/** A jitted call gives the same bits as an eager one. */
export function checkJit(row: AnyPrimitive, one: Case, dtype: DType): void {
  const args = operandsOf(one, dtype)
  const run = listRun(row, one)
  const [eager, jitted] = [run(...args), jit(run)(...args)]
  expect(jitted.map(({ aval }) => aval)).toEqual(eager.map(({ aval }) => aval))
  expect(jitted.map((x) => x.dataSync())).toEqual(eager.map((x) => x.dataSync()))
}

const differentiable = (one: Case, dtype: DType): number[] => {
  const chosen = one.by ?? one.operands.map((_, i) => i)
  return chosen.filter((i) => isFloat(one.operands[i]!.dtype ?? dtype))
}
/** The function of some of the operands, the others held fixed. */
const of = (run: (...args: NDArray[]) => NDArray[], args: readonly NDArray[], indices: readonly number[]) => {
  return (...given: NDArray[]): NDArray[] =>
    run(...args.map((arg, i) => (indices.includes(i) ? given[indices.indexOf(i)]! : arg)))
}
/** Derivatives against central differences, in float64: both modes, to the order of the case. */
export function checkDerivatives(row: AnyPrimitive, one: Case): void {
  const { order = 2 } = one
  if (order === 0) return
  const args = operandsOf(one, 'float64')
  const by = differentiable(one, 'float64')
  const f = of(listRun(row, one), args, by)
  checkGrads(
    f,
    by.map((i) => args[i]!),
    { order, modes: one.modes ?? ['fwd', 'rev'] },
  )
}
/**
 * Tangents have the type of results, for every operand by itself, so that the others have symbolic zeros; they are zero where the
 * operation is flat; and the linearised function gives the same.
 */
export function checkTangents(row: AnyPrimitive, one: Case, dtype: DType): void {
  const args = operandsOf(one, dtype)
  for (const i of differentiable(one, dtype)) {
    const f = of(listRun(row, one), args, [i])
    const [outs, tangents] = jvp(f, [args[i]!], [np.onesLike(args[i]!)])
    outs.forEach((out, k) => {
      const expected = isFloat(out.dtype) ? { shape: out.shape, dtype: out.dtype } : { shape: out.shape, dtype: 'bool' }
      expect({ shape: tangents[k]!.shape, dtype: tangents[k]!.dtype }).toEqual(expected)
      if (one.flat === true) expect([...tangents[k]!.dataSync()].every((t) => t === 0)).toBe(true)
    })
    const [again, linear] = linearize(f, args[i]!)
    expectClose(again, outs)
    expectClose(linear(np.onesLike(args[i]!)), tangents)
  }
}

const dot = (x: NDArray, y: NDArray): number => {
  const [a, b] = [x.dataSync(), y.dataSync()]
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
/** ⟨c, A x⟩ = ⟨Aᵀ c, x⟩ for the linear part A x = f(x) − f(0) by the given operands, and cotangents have their operands' types. */
export function checkTranspose(row: AnyPrimitive, one: Case, dtype: DType): void {
  const args = operandsOf(one, dtype)
  for (const group of one.linear ?? []) {
    if (!group.every((i) => isFloat(args[i]!.dtype))) continue
    const whole = of(listRun(row, one), args, group)
    const given = group.map((i) => args[i]!)
    const count = whole(...given).length
    // all results, then each by itself, so that the others' cotangents are symbolic zeros
    const choices = [undefined, ...(count > 1 ? Array.from({ length: count }, (_, k) => k) : [])]
    for (const only of choices) {
      const f = (...xs: NDArray[]): NDArray[] => (only === undefined ? whole(...xs) : [whole(...xs)[only]!])
      const outs = f(...given)
      if (!outs.every((out) => isFloat(out.dtype))) continue
      const cts = outs.map((out, k) => makeOperand({ shape: out.shape, dtype: out.dtype }, out.dtype, 77 + k))
      const pulled = linearTranspose(f, ...given)(cts) as NDArray[]
      pulled.forEach((ct, k) => expect([ct.shape, ct.dtype]).toEqual([given[k]!.shape, given[k]!.dtype]))
      if (![...outs, ...given].every((x) => x.dtype === 'float64')) continue
      const origin = f(...given.map((x) => np.zerosLike(x)))
      const left = outs.reduce((sum, out, k) => sum + dot(cts[k]!, out.sub(origin[k]!)), 0)
      const right = pulled.reduce((sum, ct, k) => sum + dot(ct, given[k]!), 0)
      expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(left)))
    }
  }
}

/** Every choice of operands that have a batch axis. */
const subsets = (indices: readonly number[]): number[][] =>
  Array.from({ length: 2 ** indices.length - 1 }, (_, mask) => indices.filter((_, i) => ((mask + 1) >> i) & 1))
const size = 2
/** The operand with its batch axis moved from the front to `axis`. */
const withAxis = (x: NDArray, axis: number): NDArray => np.moveaxis(x, 0, axis)
/** Batched calls against a loop of single ones, for every choice of batched operands and several places of the axis. */
export function checkBatching(row: AnyPrimitive, one: Case, dtype: DType, all: boolean): void {
  const run = listRun(row, one)
  const single = operandsOf(one, dtype)
  for (const chosen of subsets(one.batch ?? one.operands.map((_, i) => i))) {
    const batched = single.map((x, i) =>
      chosen.includes(i) ? makeOperand(one.operands[i]!, dtype, 1000 * i + 5, [size]) : x,
    )
    const rows = Array.from({ length: size }, (_, n) =>
      run(...batched.map((x, i) => (chosen.includes(i) ? x.get(n) : x))),
    )
    const expected = rows[0]!.map((_, k) => np.stack(rows.map((outs) => outs[k]!)))
    // in front; behind; in front of the first operand and behind the others
    const placements = [() => 0, () => -1, ...(chosen.length > 1 ? [(i: number) => (i === chosen[0] ? 0 : -1)] : [])]
    for (const place of all ? placements : placements.slice(-1)) {
      const inAxes = single.map((_, i) => (chosen.includes(i) ? place(i) : null))
      const args = batched.map((x, i) => (chosen.includes(i) ? withAxis(x, place(i)) : x))
      const outs = vmap(run as (...args: NDArray[]) => NDArray[], { inAxes })(...args)
      expect(outs.map(({ aval }) => aval)).toEqual(expected.map(({ aval }) => aval))
      outs.forEach((out, k) => expectClose(out, expected[k]!))
    }
  }
}
/** Two batch axes, of which the inner one stands last. */
export function checkNestedBatching(row: AnyPrimitive, one: Case, dtype: DType): void {
  const run = listRun(row, one)
  const chosen = one.batch ?? one.operands.map((_, i) => i)
  const single = operandsOf(one, dtype)
  const args = single.map((x, i) =>
    chosen.includes(i) ? makeOperand(one.operands[i]!, dtype, 1000 * i + 9, [2, 3]) : x,
  )
  const element = (a: number, b: number) => run(...args.map((x, i) => (chosen.includes(i) ? x.get(a, b) : x)))
  const expected = tree
    .leaves(element(0, 0))
    .map((_, k) => np.stack([0, 1].map((a) => np.stack([0, 1, 2].map((b) => element(a, b)[k]!)))))
  const axes = (axis: number) => single.map((_, i) => (chosen.includes(i) ? axis : null))
  const f = vmap(vmap(run as (...args: NDArray[]) => NDArray[], { inAxes: axes(-1) }), { inAxes: axes(0) })
  const outs = f(...args.map((x, i) => (chosen.includes(i) ? np.moveaxis(x, 1, -1) : x)))
  outs.forEach((out, k) => expectClose(out, expected[k]!))
}

/** An operation without a transpose refuses it, and names itself and the rule. */
export function checkMissingTranspose(row: AnyPrimitive, one: Case): void {
  const args = operandsOf(one, 'float32')
  const [by] = differentiable(one, 'float32')
  const f = of(listRun(row, one), args, [by!])
  const outs = f(args[by!]!)
  const cts = outs.map((out) => np.ones([...out.shape], { dtype: isFloat(out.dtype) ? out.dtype : 'bool' }))
  expect(() => linearTranspose(f, args[by!]!)(cts)).toThrow(new RegExp(`${row.name}: there is no transpose rule`))
}
