// Traces: what is in them, how spans nest, and the files that they become.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OptionError, jit, np, profiler } from '../index.ts'
import { Recording, type Trace, recorded, recording } from './recording.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fluxion-trace-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
const read = (path: string): Trace => JSON.parse(readFileSync(path, 'utf8')) as Trace
const names = ({ traceEvents }: Trace, category: string): string[] =>
  traceEvents.filter(({ cat }) => cat === category).map(({ name }) => name)
/** Whether each span of a track lies within those that are open where it begins. */
function nests({ traceEvents }: Trace): boolean {
  const open = new Map<string, number[]>()
  return traceEvents.every(({ ph, pid, tid, ts, dur }) => {
    if (ph !== 'X') return true
    const ends = open.get(`${pid} ${tid}`) ?? []
    open.set(`${pid} ${tid}`, ends)
    while (ends.length > 0 && ends.at(-1)! <= ts! + 1e-6) ends.pop()
    const inside = ends.length === 0 || ts! + dur! <= ends.at(-1)! + 1e-3
    ends.push(ts! + dur!)
    return inside && dur! >= 0 && ts! >= 0
  })
}

test('a trace has what was traced, compiled and called, in the order in which it happened', async () => {
  profiler.startTrace()
  const grow = jit(function grow(x: ReturnType<typeof np.ones>) {
    return np.tanh(x).sum()
  })
  grow(np.ones([4]))
  grow(np.ones([4]))
  const trace = await profiler.stopTrace()
  expect(names(trace, 'trace')).toEqual(['trace jit(grow)'])
  expect(names(trace, 'compile')).toEqual(['compile jit(grow)'])
  expect(names(trace, 'call')).toEqual(['jit(grow)', 'jit(grow)'])
  expect(nests(trace)).toBe(true)
  const [first] = trace.traceEvents.filter(({ cat }) => cat === 'call')
  expect(first!.args).toEqual({ device: 'reference' })
})
test('one trace runs at a time, and one that does not run cannot be stopped', async () => {
  await expect(profiler.stopTrace()).rejects.toThrow(OptionError)
  profiler.startTrace()
  expect(() => profiler.startTrace()).toThrow('hint: await profiler.stopTrace()')
  expect((await profiler.stopTrace()).traceEvents).toEqual([])
})
test('spans on any tracks come in order of their start, the longest first, and tracks have names', () => {
  const span = fc.record({
    start: fc.integer({ min: 0, max: 50 }),
    length: fc.integer({ min: 0, max: 20 }),
    process: fc.constantFrom('host', 'gpu'),
    thread: fc.constantFrom('a', 'b'),
  })
  fc.assert(
    fc.property(fc.array(span, { minLength: 1 }), (spans) => {
      const on = new Recording(undefined)
      const origin = performance.now() + 1000
      for (const { start, length, process, thread } of spans) {
        const name = `${process} ${thread}`
        on.add({
          name,
          category: 'kernel',
          start: origin + start,
          end: origin + start + length,
          track: { process, thread },
        })
      }
      const { traceEvents } = on.trace()
      const labels = new Map(
        traceEvents.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, String(args!['name'])]),
      )
      const processes = new Map(
        traceEvents.filter(({ name }) => name === 'process_name').map(({ pid, args }) => [pid, String(args!['name'])]),
      )
      const events = traceEvents.filter(({ ph }) => ph === 'X')
      expect(events.length).toBe(spans.length)
      for (const { name, pid, tid } of events) expect(name).toBe(`${processes.get(pid)!} ${labels.get(tid)!}`)
      events.forEach(({ ts, dur }, at) => {
        const before = events[at - 1]
        if (before !== undefined) expect(before.ts! < ts! || (before.ts === ts && before.dur! >= dur!)).toBe(true)
      })
    }),
  )
})
test('a trace keeps as many spans as viewers open, and says how many more there were', () => {
  const on = new Recording(undefined)
  const span = { name: 'f', category: 'kernel', start: 1, end: 2 } as const
  for (let i = 0; i < 2 ** 20 + 5; i++) on.add(span)
  const { traceEvents, otherData } = on.trace()
  expect(traceEvents.filter(({ ph }) => ph === 'X').length).toBe(2 ** 20)
  expect(otherData).toEqual({ dropped: 5 })
})
test('a span is recorded if what it spans throws', async () => {
  profiler.startTrace()
  const fail = (): never => {
    throw new Error('no')
  }
  expect(() =>
    recorded({ name: 'outer', category: 'call' }, () => recorded({ name: 'fails', category: 'call' }, fail)),
  ).toThrow('no')
  const trace = await profiler.stopTrace()
  expect(names(trace, 'call')).toEqual(['outer', 'fails'])
  expect(nests(trace)).toBe(true)
})
test('a device adds what it has when the trace ends, once', async () => {
  profiler.startTrace()
  const [owner, running] = [{}, recording()!]
  const late = async (): Promise<void> => {
    await Promise.resolve()
    running.add({ name: 'late', category: 'kernel', start: 1, end: 2, track: { process: 'gpu', thread: 'kernels' } })
  }
  running.beforeEnd(owner, late)
  running.beforeEnd(owner, late)
  expect(names(await profiler.stopTrace(), 'kernel')).toEqual(['late'])
})
test('a file is written whole, in folders that are made, also if the function throws', async () => {
  const path = join(folder, 'deep', 'trace.json')
  const result = await profiler.trace(path, async () => np.ones([2]).shape)
  expect(result).toEqual([2])
  expect(read(path).displayTimeUnit).toBe('ms')
  const other = join(folder, 'failed.json')
  const fails = profiler.trace(other, () => {
    throw new Error('no')
  })
  await expect(fails).rejects.toThrow('no')
  expect(read(other).traceEvents).toEqual([])
  expect(recording()).toBe(undefined)
  expect(readdirSync(join(folder, 'deep'))).toEqual(['trace.json'])
})
test('FLUXION_PROFILE records a process, one that exits by itself too', () => {
  const index = new URL('../index.ts', import.meta.url).href
  for (const end of ['', 'process.exit(0)']) {
    const path = join(folder, `process${end.length}.json`)
    const program = `import { jit, np } from '${index}'; jit(function f(x) { return np.tanh(x) })(np.ones([2])); ${end}`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, FLUXION_PROFILE: path },
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(names(read(path), 'call')).toEqual(['jit(f)'])
  }
})
