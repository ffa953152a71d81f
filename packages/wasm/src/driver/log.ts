/**
 * Notes launches while a trace runs: a profiled module asks a clock before and after each, and keeps both times where its thread has memory of its own.
 * A record is the number of what ran, then the two times; a log begins with how many records there were.
 */
import { type Kernel, costOfKernel } from '@fluxion/compiler'
import type { Recording, Track } from '@fluxion/core'
import type { FunctionBuilder, FunctionRef, Register } from '../assembler/function.ts'
import type { ModuleBuilder } from '../assembler/module.ts'

const [head, recordBytes, most] = [8, 24, 8192]
/** The clock that modules import: milliseconds, the same on all threads. */
export const clock = (): number => performance.timeOrigin + performance.now()

interface Site {
  readonly f: FunctionBuilder
  readonly frame: Register
  readonly own: Register | undefined
}
export class Log {
  static readonly bytes: number = head + recordBytes * most
  readonly #labels: { readonly name: string; readonly kernel: Kernel | undefined }[] = []
  readonly #clock: FunctionRef
  readonly #ownAt: number

  /** @param ownAt where in a runner's own memory its log begins; that of the caller lies before the frame */
  constructor(module: ModuleBuilder, ownAt: number) {
    this.#clock = module.import('env', 'clock', [], ['f64'])
    this.#ownAt = ownAt
  }
  /** Print something with the notes of when it begins and ends. */
  around({ f, frame, own }: Site, name: string, kernel: Kernel | undefined, print: () => void): void {
    const id = this.#labels.push({ name, kernel }) - 1
    const start = f.temporary('f64')
    f.call(this.#clock).set(start)
    print()
    const [log, count, at] = [f.temporary('i32'), f.temporary('i32'), f.temporary('i32')]
    if (own === undefined) f.get(frame).i32(Log.bytes).op('i32.sub')
    else f.get(own).i32(this.#ownAt).op('i32.add')
    f.tee(log).memory('i32.load').tee(count).i32(most).op('i32.lt_u')
    f.if(() => {
      f.get(log).get(count).i32(recordBytes).op('i32.mul', 'i32.add').tee(at).i32(id).memory('i32.store', head)
      f.get(at)
        .get(start)
        .memory('f64.store', head + 8)
      f.get(at)
        .call(this.#clock)
        .memory('f64.store', head + 16)
    })
    f.get(log).get(count).i32(1).op('i32.add').memory('i32.store')
    for (const register of [start, log, count, at]) f.release(register)
  }
  /** Where a runner's log begins: number 0 is the caller's own. */
  runnerLog(runners: number, runnerBytes: number, runner: number): number {
    return runners + runner * runnerBytes + this.#ownAt
  }
  /** Forget what a log has. */
  clear(memory: WebAssembly.Memory, address: number): void {
    new DataView(memory.buffer).setInt32(address, 0, true)
  }
  /** Hand what a log has on to a trace. */
  read(memory: WebAssembly.Memory, address: number, to: Recording, track: Track): void {
    const view = new DataView(memory.buffer)
    const count = view.getInt32(address, true)
    const origin = performance.timeOrigin
    const kept = Math.min(count, most)
    for (let i = 0; i < kept; i++) {
      const at = address + head + i * recordBytes
      const { name, kernel } = this.#labels[view.getInt32(at, true)]!
      const [start, end] = [view.getFloat64(at + 8, true) - origin, view.getFloat64(at + 16, true) - origin]
      const cost = kernel === undefined ? undefined : costOfKernel(kernel)
      const args = cost === undefined ? {} : { bytes: cost.bytesRead + cost.bytesWritten, flops: cost.flops }
      to.add({ name, category: kernel === undefined ? 'call' : 'kernel', start, end, track, args })
    }
    if (count > most) {
      const now = performance.now()
      to.add({ name: `${count - most} launches more than are kept`, category: 'call', start: now, end: now, track })
    }
  }
}
