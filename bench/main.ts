/** `npm run bench`: every entry in a process of its own, one after the other. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { entries } from './entries/index.ts'

interface Result {
  readonly name: string
  readonly backend: string
  readonly trace_ms?: number
  readonly first_ms: number
  readonly median_ms: number
  readonly min_ms: number
  readonly gflops?: number
  readonly gbytes?: number
  readonly runs: number
  readonly cost?: string
}
const options = new Command('npm run bench --')
  .description('Time the project on this machine.')
  .option('--only <name...>', `of ${entries.map((entry) => entry.name).join(', ')}`)
  .option('--device <name>', 'wasm, webgpu or reference; by default the one that everything runs on')
  .option('--cost', 'print what the compiler counts: kernels, bytes moved, operations')
  .option('--json', 'print a line of JSON for each entry')
  .option('--seconds <n>', 'how long to repeat each entry, at least three times', '5')
  .allowExcessArguments(false)
  .parse()
  .opts<{ only?: string[]; device?: string; cost?: boolean; json?: boolean; seconds: string }>()

const unknown = options.only?.filter((name) => !entries.some((entry) => entry.name === name)) ?? []
if (unknown.length > 0) {
  console.error(`there is no entry '${unknown[0]}'; there are ${entries.map((entry) => entry.name).join(', ')}`)
  process.exit(1)
}
// On a GPU if FLUXION_GPU=hardware says that there is one, else on SwiftShader.
const preload =
  options.device === 'webgpu' ? ['--import', new URL('../tools/swiftshader/preload.ts', import.meta.url).href] : []
const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i < 2 ? cell.padEnd([18, 10][i]!) : cell.padStart(i === 6 ? 14 : 11))).join(' ')
const ms = (value: number | undefined): string => (value === undefined ? '–' : `${value} ms`)
if (options.json !== true) console.log(row(['entry', 'backend', 'trace', 'first', 'median', 'min', 'rate', 'runs']))
for (const { name } of entries.filter((entry) => options.only?.includes(entry.name) ?? true)) {
  const measured = spawnSync(
    process.execPath,
    [...preload, fileURLToPath(new URL('./measure.ts', import.meta.url)), name, options.seconds],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...(options.device === undefined ? {} : { FLUXION_DEVICE: options.device }) },
    },
  )
  if (measured.status !== 0) {
    // One entry that fails does not keep the others from being measured.
    console.error(`${name}: failed`)
    process.exitCode = 1
    continue
  }
  const line = measured.stdout.trim()
  const result = JSON.parse(line) as Result
  if (options.json === true) console.log(line)
  else
    console.log(
      row([
        name,
        result.backend,
        ms(result.trace_ms),
        ms(result.first_ms),
        ms(result.median_ms),
        ms(result.min_ms),
        result.gflops !== undefined
          ? `${result.gflops} Gflop/s`
          : result.gbytes !== undefined
            ? `${result.gbytes} GB/s`
            : '',
        String(result.runs),
      ]),
    )
  if (options.cost === true && result.cost !== undefined) console.log(result.cost.replace(/^/gm, '    '))
}
