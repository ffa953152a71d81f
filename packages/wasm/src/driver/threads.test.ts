// Programs on several threads: the same bits on any number of them.
import { type Program, compile, costOf } from '@fluxion/compiler'
import { DeviceError, type HostArray, type NDArray, lax, makeJaxpr, np, sizeOf } from '@fluxion/core'
import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { type Machine, makeExecutable, printProgram } from './executable.ts'
import { machineOf } from './machine.testing.ts'

const counts = [1, 2, 4]
const machines = counts.map((count) => machineOf(count))
machines.push(machineOf(4, false))
afterAll(() => machines.forEach(({ threads }) => threads.pool()?.stop()))

const filled = (...shape: number[]): NDArray =>
  np.array(Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 1.7))).reshape(shape)
type Traceable = (...args: NDArray[]) => NDArray | readonly NDArray[]
const programOf = (f: Traceable, args: readonly NDArray[]): Program =>
  compile(makeJaxpr(f)(...args), { name: 'wasm', parallel: false, host: true })
const hostOf = (x: NDArray): HostArray => ({ shape: x.shape, dtype: x.dtype, data: x.dataSync() })
/** Hashes of results on one machine, of several calls: workers join in when they are ready. */
function results(machine: Machine, program: Program, args: readonly NDArray[], calls = 3): string[][] {
  const run = makeExecutable(machine, program)
  return Array.from({ length: calls }, () =>
    run(args.map((x) => machine.backend.put(hostOf(x)))).map((buffer) => {
      const { buffer: bytes, byteOffset, byteLength } = buffer.read()
      return createHash('sha256')
        .update(new Uint8Array(bytes, byteOffset, byteLength))
        .digest('hex')
    }),
  )
}
function expectSame(f: Traceable, args: readonly NDArray[]): Program {
  const program = programOf(f, args)
  const [one, ...others] = machines.map((machine) => results(machine, program, args))
  expect(one![1]).toEqual(one![0])
  for (const other of others) expect(other).toEqual(one)
  return program
}
const jobsOf = (program: Program): number => printProgram(program, machines[0]!).jobs.length

test('workers start', async () => {
  await Promise.all(machines.map(({ threads }) => threads.ready()))
  expect(machines.map(({ threads }) => threads.pool()?.ready ?? 0)).toEqual([0, 1, 3, 0])
})
test('sums over groups, and what they stack', () => {
  const [w, xs] = [filled(32, 32), filled(24, 64, 32)]
  // What ends when its values say so stays in the iteration.
  const layer = (x: NDArray): NDArray =>
    lax.whileLoop(
      (y: NDArray) => np.less(np.abs(y).max(), 40),
      (y: NDArray) => y.matmul(w).mul(2).add(x),
      x,
    )
  const program = expectSame(
    (all) => {
      const [[total, most], ys] = lax.scan(
        ([sum, high]: NDArray[], x: NDArray) => {
          const y = layer(x)
          return [[sum!.add(np.sort(y).transpose().matmul(y)), np.maximum(high!, y.max())] as NDArray[], y] as const
        },
        [np.zeros([32, 32]), np.array(-1)],
        all!,
      )
      return [total!, most!, ys]
    },
    [xs],
  )
  expect(program.steps.some(({ op }) => op === 'parallel')).toBe(true)
  expect(costOf(program).privateBytes).toBeGreaterThan(0)
})
test('groups inside of a loop find its counter', () => {
  const xs = filled(3, 16, 64, 32)
  const w = filled(32, 32)
  const program = expectSame(
    (all) =>
      lax.scan(
        (carry: NDArray, rows: NDArray) => {
          const ys = lax.map((x: NDArray) => np.sort(x.matmul(w)).matmul(w).add(carry), rows)
          return [np.sort(ys.max({ axis: [0, 1] })), ys] as const
        },
        np.zeros([32]),
        all!,
      ) as unknown as NDArray[],
    [xs],
  )
  const loop = program.steps.find(({ op }) => op === 'loop')
  expect(loop?.op === 'loop' && loop.body.some(({ op }) => op === 'parallel')).toBe(true)
})
test('large kernels in parts: by elements, by rows, and products by columns, rows and batches', () => {
  const cases: (readonly [Traceable, readonly NDArray[]])[] = [
    [(x) => np.tanh(x!.mul(2).add(1)).mul(x!), [filled(200003)]],
    [(x) => np.sort(x!), [filled(200, 300)]],
    [(x) => x!.sum({ axis: 1 }), [filled(1001, 1003)]],
    [(x) => x!.sum({ axis: 0 }), [filled(1001, 1003)]],
    [(x, y) => np.tanh(x!.matmul(y!)), [filled(300, 200), filled(200, 256)]],
    [(x, y) => x!.matmul(y!), [filled(900, 100), filled(100, 90)]],
    [(x, y) => x!.matmul(y!), [filled(40, 60, 64), filled(40, 64, 60)]],
  ]
  for (const [f, args] of cases) expect(jobsOf(expectSame(f, args))).toBeGreaterThan(0)
})
test('small programs have no jobs', () => {
  expect(jobsOf(programOf((x, y) => np.tanh(x!.matmul(y!)), [filled(16, 16), filled(16, 16)]))).toBe(0)
})
test('kernels that need functions of the host run on the calling thread alone', () => {
  const x = filled(60000).astype('float64')
  expect(jobsOf(expectSame((a) => np.remainder(np.exp(a!.add(1)), 0.3), [x]))).toBeGreaterThan(0)
  expect(jobsOf(expectSame((a) => np.exp(a!), [x]))).toBeGreaterThan(0)
})
test('the memory grows while there are workers', () => {
  const machine = machines[2]!
  const x = filled(300000)
  const program = programOf((a) => np.tanh(a!.mul(2)), [x])
  const run = makeExecutable(machine, program)
  const kept = []
  const before = machine.heap.size
  for (let i = 0; i < 20; i++) kept.push(run([machine.backend.put(hostOf(x))])[0]!)
  expect(machine.heap.size).toBeGreaterThan(before)
  const [first, ...others] = kept.map((buffer) => buffer.read())
  for (const other of others) expect(other.every((value, i) => value === first![i])).toBe(true)
})
test('after a worker was lost the call fails, and the next one works', async () => {
  const machine = machineOf(2)
  await machine.threads.ready()
  const program = programOf((x) => np.tanh(x!.mul(2)), [filled(200003)])
  const run = makeExecutable(machine, program)
  const call = (): unknown => run([machine.backend.put(hostOf(filled(200003)))])[0]!.read()
  const expected = call()
  const pool = machine.threads.pool()!
  // As if it had died: what it reports when it ends by itself.
  pool.fail('it was killed')
  expect(call).toThrow(DeviceError)
  expect(call()).toEqual(expected)
  machine.threads.pool()!.stop()
})
