// The check of devices: compiled and eager, a primitive gives there what the reference back end gives, exactly or within stated bounds.
import {
  type AnyPrimitive,
  type Backend,
  DeviceError,
  type DeviceName,
  type NDArray,
  type DType,
  dtypes,
  isFloat,
  jit,
  np,
  primitives,
} from 'fluxion'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Allowed, type Read, deviceOf, difference, exactlyOn, on, read } from '../compiled/devices.ts'
import { type Case } from './cases.ts'
import { listRun, operandsOf } from './check.ts'
import { dtypesOf, showCase, table } from './rows.ts'

type Listed = (...args: NDArray[]) => NDArray[]
/** What a bound is made from: the case's operands and the function, to be run on the reference back end. */
interface Ground {
  readonly reference: Backend
  readonly run: Listed
  readonly args: readonly NDArray[]
  readonly expected: readonly Read[]
}
type Bound = (ground: Ground) => Allowed | Promise<Allowed>

const half = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16'
const epsOf = (dtype: DType): number => dtypes[dtype].eps
/** What it is computed in: half floats as float32, and rounded once. */
const wideEps = (dtype: DType): number => (half(dtype) ? dtypes.float32.eps : epsOf(dtype))
/** One unit in the last place of a number, at most: that of the least normal number below it. */
const ulp = (value: number, dtype: DType): number => epsOf(dtype) * Math.max(Math.abs(value), dtypes[dtype].tiny)

/** So many units in the last place; one for half floats, where only the last rounding shows. */
const units =
  (count: number): Bound =>
  ({ expected }) =>
  (value, _, result) => {
    const { dtype } = expected[result]!
    return (half(dtype) ? 1 : count) * ulp(value, dtype)
  }
/** Relative to the larger of the result and 1: for programs of several operations, near 1 in all cases. */
const composed =
  (count: number): Bound =>
  ({ expected }) =>
  (value, _, result) =>
    count * epsOf(expected[result]!.dtype) * Math.max(1, Math.abs(value))
/** Terms that any element of the result sums or multiplies, at most. */
const terms = (args: readonly NDArray[]): number => Math.max(1, ...args.map(({ size }) => size))
/** Sums in any order: n − 1 roundings of at most the sum of magnitudes, which is the operation on magnitudes; and the last rounding. */
const sums =
  (magnitudes: (args: readonly NDArray[]) => readonly NDArray[]): Bound =>
  async ({ reference, run, args, expected }) => {
    const large = await read(on(reference, () => run(...magnitudes(args))))
    const count = terms(args)
    return (value, at, result) => {
      const { dtype } = expected[result]!
      return count * wideEps(dtype) * large[result]!.data[at]! + ulp(value, dtype)
    }
  }
const magnitudes = (args: readonly NDArray[]): NDArray[] => args.map((x) => (isFloat(x.dtype) ? np.abs(x) : x))
/** Products in any order: n − 1 roundings relative to the result. */
const productsOfMany: Bound = ({ args, expected }) => {
  const count = terms(args)
  return (value, _, result) => {
    const { dtype } = expected[result]!
    return count * wideEps(dtype) * Math.abs(value) + ulp(value, dtype)
  }
}
/** Factorisations are stable: errors are relative to the largest element of a result, by some n² roundings. */
const normwise: Bound = ({ args, expected }) => {
  const count = 8 * terms(args)
  const largest = expected.map(({ data }) => Math.max(1, ...data.map(Math.abs)))
  return (_value, _at, result) => count * epsOf(expected[result]!.dtype) * largest[result]!
}

const family = (names: readonly string[], bound: Bound): Record<string, Bound> =>
  Object.fromEntries(names.map((name) => [name, bound]))
/** Operations that round otherwise than the reference does; all others are exact. Conformance on the range of the cases, by family. */
const rounded: Readonly<Record<string, Bound>> = {
  ...family(['exp', 'exp2', 'expm1', 'log', 'log1p', 'logistic', 'rsqrt', 'cbrt'], units(4)),
  ...family(['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2'], units(4)),
  ...family(['sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh', 'erf', 'erfc'], units(4)),
  ...family(['integer_pow', 'pow'], units(8)),
  ...family(['erf_inv', 'bessel_i0e', 'bessel_i1e'], units(16)),
  ...family(['lgamma', 'digamma', 'polygamma', 'zeta'], composed(32)),
  ...family(['igamma', 'igammac', 'igamma_grad_a', 'random_gamma_grad', 'regularized_incomplete_beta'], composed(128)),
  ...family(
    ['reduce_sum', 'cumsum', 'reduce_window_sum', 'dot_general', 'conv_general_dilated', 'scatter-add'],
    sums(magnitudes),
  ),
  // what the second operand chooses stays as it is
  select_and_scatter_add: sums(([source, operand]) => [np.abs(source!), operand!]),
  ...family(['reduce_prod', 'cumprod', 'scatter-mul'], productsOfMany),
  cumlogsumexp: composed(16),
  ...family(['cholesky', 'triangular_solve', 'lu', 'qr', 'eigh', 'svd'], normwise),
  ...family(['psum', 'all_gather'], composed(16)),
}
/** What WGSL does not promise to round correctly: division to 2.5 units, and roots by way of it. */
const looser: Readonly<Partial<Record<DeviceName, Readonly<Record<string, Bound>>>>> = {
  webgpu: { ...family(['div', 'sqrt'], units(4)), ...family(['rsqrt', 'tan', 'logistic'], units(8)) },
}

function boundOf(row: AnyPrimitive, one: Case, device: Backend): Bound {
  if (one.run !== undefined) return rounded[row.name] === normwise ? normwise : composed(64)
  return looser[device.name]?.[row.name] ?? rounded[row.name] ?? (() => exactlyOn(device))
}
const holdsDoubles = (values: readonly { readonly dtype: DType }[]): boolean =>
  values.some(({ dtype }) => dtype === 'float64')

/** Jitted on a device and operation by operation there, a case gives what it gives on the reference back end, types included. */
export async function checkDevice(
  row: AnyPrimitive,
  one: Case,
  dtype: DType,
  { reference, device }: { reference: Backend; device: Backend },
): Promise<void> {
  const args = on(reference, () => operandsOf(one, dtype))
  const run = listRun(row, one)
  const expected = await read(on(reference, () => run(...args)))
  const ways = { jit: () => jit(run)(...args), eager: () => run(...args) }
  for (const [way, outs] of Object.entries(ways)) {
    const given = async (): Promise<Read[]> => read(on(device, outs))
    if (device.name === 'webgpu' && holdsDoubles([...args, ...expected])) {
      const refused = await given().then(
        () => false,
        (error) => error instanceof DeviceError,
      )
      // What an eager call calls back runs on the host: doubles only pass through.
      expect(refused || (way === 'eager' && row.name.endsWith('_callback')), way).toBe(true)
      continue
    }
    const allowed = await boundOf(row, one, device)({ reference, run, args, expected })
    const wrong = difference(await given(), expected, allowed)
    if (wrong !== undefined) throw new Error(`${way} on ${device.name}: ${wrong}`)
  }
}

/**
 * Every case of every primitive on a device: in `all` of its dtypes, or in one, another for each case. Of the cases only
 * each `every`-th is checked, the first of each primitive among them.
 *
 * @param make the device, if it is to be another of that name than the usual one
 */
export function sweepDevice(name: DeviceName, all: boolean, every = 1, make?: () => Backend): void {
  let reference: Backend
  let device: Backend
  beforeAll(async () => {
    reference = await deviceOf('reference')
    device = make?.() ?? (await deviceOf(name))
  })
  const some = (one: Case, index: number): readonly DType[] => {
    const list = dtypesOf(one)
    return all ? list : [list[index % list.length]!]
  }
  describe(`on ${name}`, () => {
    test.each([...primitives.values()])('$name gives what the reference gives', { timeout: 120_000 }, async (row) => {
      for (const [index, one] of (table[row.name]?.cases ?? []).entries()) {
        if (index % every > 0) continue
        for (const dtype of some(one, index)) {
          try {
            await checkDevice(row, one, dtype, { reference, device })
          } catch (error) {
            if (error instanceof Error) error.message = `case ${index}, ${dtype}: ${showCase(one)}\n${error.message}`
            throw error
          }
        }
      }
    })
  })
  afterAll(() => {
    expect(device.name).toBe(name)
  })
}
