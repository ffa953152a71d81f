/** For tests of primitives by themselves: arrays, inner products, and a look at the calls that operations make. */
import type { ConcreteArray, NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { reference } from '../backend/reference/backend.ts'
import { hostZeros } from '../backend/reference/host.ts'
import { setBackend } from '../backend/devices.ts'
import { Trace, concreteOf, fromHost } from '../trace.ts'
import type { AnyPrimitive } from './define.ts'

/** The reference back end, which tests that import files of the core by themselves have to set; it is what all other tests run on. */
export const useHostBackend = (): void => setBackend(reference)

export const hostOf = (x: NDArray): HostArray => concreteOf(x).host
export const array = (host: HostArray): ConcreteArray => fromHost(host)
export const f32 = (shape: readonly number[], values: Iterable<number>): ConcreteArray =>
  fromHost({ shape, dtype: 'float32', data: Float32Array.from(values) })
export const i32 = (shape: readonly number[], values: Iterable<number>): ConcreteArray =>
  fromHost({ shape, dtype: 'int32', data: Int32Array.from(values) })

/** The inner product of all elements. */
export function dot(a: NDArray, b: NDArray): number {
  const [left, right] = [hostOf(a).data, hostOf(b).data]
  let sum = 0
  for (let i = 0; i < left.length; i++) sum += left[i]! * right[i]!
  return sum
}

class Capture extends Trace {
  calls: { primitive: AnyPrimitive; args: readonly NDArray[]; params: never }[] = []
  override process(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    this.calls.push({ primitive, args, params: params as never })
    return primitive
      .type(
        args.map((arg) => arg.aval),
        params as never,
      )
      .map((out) => fromHost(hostZeros(out)))
  }
}
/** The first primitive that `f` runs, with its parameters. */
export function callOf(f: () => unknown): { primitive: AnyPrimitive; args: readonly NDArray[]; params: never } {
  const capture = new Capture('a test')
  capture.run(f)
  return capture.calls[0]!
}
