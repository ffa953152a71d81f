/** Measures one entry in this process, which is cold: `node bench/measure.ts NAME SECONDS` prints one line of JSON. */
import { env } from 'node:process'
import { backend } from 'fluxion'
import { onLog } from '@fluxion/core'
import { finished } from './entries/entry.ts'
import { entryNamed } from './entries/index.ts'

const [name, seconds] = process.argv.slice(2)
const entry = entryNamed(name!)
if (entry === undefined) throw new Error(`there is no entry '${name}'`)

const timed = async (f: () => unknown): Promise<number> => {
  const start = performance.now()
  await finished(f())
  return performance.now() - start
}
const { run, trace, cost } = await entry.prepare()
let traceMs: number | undefined
if (trace !== undefined) {
  const start = performance.now()
  trace()
  traceMs = performance.now() - start
}
// What compiling takes of the first run is said by the log.
let compileMs: number | undefined
env['FLUXION_LOG'] = 'compile'
onLog((line) => {
  const compiled = /compiled in ([\d.]+) ms/.exec(line)?.[1]
  if (compiled !== undefined) compileMs = (compileMs ?? 0) + Number(compiled)
})
const firstMs = await timed(run)
const compiledFirst = compileMs
const times: number[] = []
const end = performance.now() + Number(seconds) * 1000
do times.push(await timed(run))
while (times.length < 3 || performance.now() < end)
const next = times[0]!
times.sort((a, b) => a - b)

const { flops, bytes, calls = 1 } = entry
const median = times[Math.floor(times.length / 2)]!
const rounded = (value: number): number => Number(value.toPrecision(4))
const optional = <K extends string>(key: K, value: number | undefined) =>
  value === undefined ? {} : { [key]: rounded(value) }
console.log(
  JSON.stringify({
    name,
    backend: backend().name,
    ...optional('trace_ms', traceMs),
    ...optional('compile_ms', compiledFirst),
    first_ms: rounded(firstMs),
    // How much longer the first run takes than the next one, compiling apart.
    first_to_next: rounded((firstMs - (compiledFirst ?? 0)) / next),
    median_ms: rounded(median / calls),
    min_ms: rounded(times[0]! / calls),
    ...optional('gflops', flops === undefined ? undefined : flops / median / 1e6),
    ...optional('gbytes', bytes === undefined ? undefined : bytes / median / 1e6),
    runs: times.length,
    cost: cost?.(),
    about: entry.about,
  }),
)
// On a GPU an open device would keep the process.
process.exit(0)
