/** `npm run bench`: every entry in a process of its own, one after the other. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { entries } from './entries.ts'

interface Result {
  readonly name: string
  readonly backend: string
  readonly trace_ms?: number
  readonly first_ms: number
  readonly median_ms: number
  readonly min_ms: number
  readonly runs: number
}
const options = new Command('npm run bench --')
  .description('Time the project on this machine.')
  .option('--only <name...>', `of ${entries.map((entry) => entry.name).join(', ')}`)
  .option('--json', 'print a line of JSON for each entry')
  .option('--seconds <n>', 'how long to repeat each entry, at least three times', '5')
  .allowExcessArguments(false)
  .parse()
  .opts<{ only?: string[]; json?: boolean; seconds: string }>()

const unknown = options.only?.filter((name) => !entries.some((entry) => entry.name === name)) ?? []
if (unknown.length > 0) {
  console.error(`there is no entry '${unknown[0]}'; there are ${entries.map((entry) => entry.name).join(', ')}`)
  process.exit(1)
}
const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i < 2 ? cell.padEnd([18, 10][i]!) : cell.padStart(11))).join(' ')
const ms = (value: number | undefined): string => (value === undefined ? '–' : `${value} ms`)
if (options.json !== true) console.log(row(['entry', 'backend', 'trace', 'first', 'median', 'min', 'runs']))
for (const { name } of entries.filter((entry) => options.only?.includes(entry.name) ?? true)) {
  const measured = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('./measure.ts', import.meta.url)), name, options.seconds],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  if (measured.status !== 0) process.exit(measured.status ?? 1)
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
        String(result.runs),
      ]),
    )
}
