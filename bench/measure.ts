/** Measures one entry in this process, which is cold: `node bench/measure.ts NAME SECONDS` prints one line of JSON. */
import { backend } from 'fluxion'
import { finished } from './entries/entry.ts'
import { entries } from './entries/index.ts'

const [name, seconds] = process.argv.slice(2)
const entry = entries.find((candidate) => candidate.name === name)
if (entry === undefined)
  throw new Error(`there is no entry '${name}'; there are ${entries.map((candidate) => candidate.name).join(', ')}`)

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
const firstMs = await timed(run)
const times: number[] = []
const end = performance.now() + Number(seconds) * 1000
do times.push(await timed(run))
while (times.length < 3 || performance.now() < end)
times.sort((a, b) => a - b)

const { flops, bytes, calls = 1 } = entry
const median = times[Math.floor(times.length / 2)]!
const rounded = (value: number): number => Number(value.toPrecision(4))
console.log(
  JSON.stringify({
    name,
    backend: backend().name,
    ...(traceMs === undefined ? {} : { trace_ms: rounded(traceMs) }),
    first_ms: rounded(firstMs),
    median_ms: rounded(median / calls),
    min_ms: rounded(times[0]! / calls),
    ...(flops === undefined ? {} : { gflops: rounded(flops / median / 1e6) }),
    ...(bytes === undefined ? {} : { gbytes: rounded(bytes / median / 1e6) }),
    runs: times.length,
    cost: cost?.(),
    about: entry.about,
  }),
)
