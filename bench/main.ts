/** `npm run bench`: every entry in a process of its own, one after the other, and with `--peers` what other libraries take for the same. */
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { check } from './check.ts'
import { type Measured, type Missing, measure } from './child.ts'
import type { Entry } from './entries/entry.ts'
import { entries, entryNamed } from './entries/index.ts'
import { type Peer, peers } from './peers/peers.ts'
import { type Own, type Result, Table } from './table.ts'

const names = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(', ')
const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}
const whole = (text: string): number => {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at least 1.')
  return Number(text)
}
interface Options {
  readonly only?: readonly string[]
  readonly device?: string
  readonly threads?: number
  readonly cost?: true
  readonly json?: true
  readonly check?: true
  readonly peers?: true | readonly string[]
  readonly unroll: readonly number[]
  readonly seconds: number
  readonly limit: number
}
const command = new Command('npm run bench --')
  .description('Time the project on this machine, by itself or beside other libraries.')
  .option(
    '--only <name...>',
    `of ${names(entries)}; * stands for anything; any network by a name such as net-alif-3-b64-t128-dense-half`,
  )
  .option('--device <name>', 'wasm, webgpu or reference; by default the one that everything runs on')
  .option('--threads <n>', 'threads of the project (FLUXION_THREADS)', whole)
  .option('--peers [name...]', `measure other libraries too, fetched the first time: ${names(peers)}`)
  .option(
    '--unroll <n...>',
    'steps of a loop that jax.jit writes out: the best counts',
    (text, before: number[] | undefined) => [...(before ?? []), whole(text)],
  )
  .option('--cost', 'print what the compiler counts: kernels, bytes moved, operations')
  .option('--json', 'print a line of JSON for each entry')
  .option('--seconds <n>', 'how long to repeat each entry, at least three times (5; 1 with --peers)', positive)
  .option('--limit <n>', 'seconds after which a measurement of another library is given up', positive, 60)
  .option('--check', 'compare loss and gradients of networks with those of JAX instead')
  .allowExcessArguments(false)
  .parse()
const given = command.opts<Partial<Options> & Pick<Options, 'limit'>>()
const options: Options = { unroll: [1, 4], seconds: given.peers === undefined ? 5 : 1, ...given }
if (options.check === true) process.exit(check() === 0 ? 0 : 1)

function chosen(): readonly Entry[] {
  if (options.only === undefined) return entries
  return options.only.flatMap((pattern) => {
    const like = new RegExp(`^${pattern.replaceAll('*', '.*')}$`)
    const found = pattern.includes('*')
      ? entries.filter(({ name }) => like.test(name))
      : [entryNamed(pattern) ?? []].flat()
    if (found.length === 0) command.error(`error: there is no entry '${pattern}'; there are ${names(entries)}`)
    return found
  })
}
function compared(): readonly Peer[] {
  if (options.peers === undefined) return []
  if (options.peers === true) return peers
  return options.peers.map(
    (name) =>
      peers.find((peer) => peer.name === name) ??
      command.error(`error: there is no library '${name}' to compare with; there are ${names(peers)}`),
  )
}
// On a GPU if FLUXION_GPU=hardware says that there is one, else on SwiftShader.
const preload =
  options.device === 'webgpu' ? ['--import', new URL('../tools/swiftshader/preload.ts', import.meta.url).href] : []
const own = ({ name }: Entry): Promise<Own | Missing> =>
  measure<Own>(
    {
      file: process.execPath,
      args: [...preload, fileURLToPath(new URL('./measure.ts', import.meta.url)), name, String(options.seconds)],
      env: {
        ...(options.device === undefined ? {} : { FLUXION_DEVICE: options.device }),
        ...(options.threads === undefined ? {} : { FLUXION_THREADS: String(options.threads) }),
      },
    },
    3600,
    true,
  )

const chosenEntries = chosen()
const opened = compared().map((peer) => ({ peer, reason: peer.open() }))
const table = new Table(
  opened.map(({ peer }) => peer.name),
  options.cost === true,
)
if (options.json !== true) table.head()
for (const entry of chosenEntries) {
  const mine = await own(entry)
  if ('missing' in mine) {
    // One entry that fails does not keep the others from being measured.
    console.error(`${entry.name}: ${mine.missing}`)
    process.exitCode = 1
    continue
  }
  const others: Record<string, Measured | Missing> = {}
  for (const { peer, reason } of opened) {
    const command = peer.command(entry.task, String(options.seconds), options.unroll)
    others[peer.name] = reason === undefined ? await measure(command, options.limit) : { missing: reason }
  }
  const result: Result = { ...mine, ...(opened.length === 0 ? {} : { peers: others }) }
  if (options.json === true) console.log(JSON.stringify(result))
  else table.add(result)
}
if (options.json !== true) table.foot()
