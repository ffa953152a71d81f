/** The command line of the tutorial: by default the original's sizes, with as many epochs as fit in five minutes, and how all that differs from the original. */
import { Command, InvalidArgumentError } from 'commander'
import type { DeviceName } from 'fluxion'
import { type OpenDevice, openDevice } from './device.ts'

export interface Settings {
  readonly epochs: number
  readonly batch: number
  readonly steps: number
  readonly channels: number
  readonly hidden: number
  readonly rate: number
  readonly seed: number
  readonly precision: 'half' | 'full'
  readonly data: string | undefined
  readonly out: string
  /** What it runs on; it is open. */
  readonly device: OpenDevice
}

type Sizes = Omit<Settings, 'data' | 'out' | 'seed' | 'precision' | 'device'>
/** What the original notebook ran with, on 6,500 recordings, which are 25 batches an epoch. */
export const original: Sizes = { epochs: 1500, batch: 256, steps: 128, channels: 256, hidden: 128, rate: 1e-4 }
/** The built-in recordings are four batches an epoch: fewer updates, which are larger for that. Chosen by validation accuracy (docs/performance.md). */
const usual: Sizes = { ...original, epochs: 360, rate: 5e-4 }
/** For GPUs in name only, and for the reference back end. */
const small: Sizes = { epochs: 4, batch: 16, steps: 32, channels: 128, hidden: 64, rate: 1e-3 }
const quick: Sizes = { epochs: 10, batch: 16, steps: 32, channels: 64, hidden: 64, rate: 5e-4 }

const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}
const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number of at least 1.')
  return value
}
const seed = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number of at least 0.')
  return value
}
const precision = (text: string): 'half' | 'full' => {
  if (text !== 'half' && text !== 'full') throw new InvalidArgumentError("It must be 'half' or 'full'.")
  return text
}
const deviceNames: readonly string[] = ['wasm', 'webgpu', 'reference']
const isDeviceName = (text: string): text is DeviceName => deviceNames.includes(text)
const device = (text: string): DeviceName => {
  if (!isDeviceName(text)) throw new InvalidArgumentError(`It must be one of ${deviceNames.join(', ')}.`)
  return text
}

/** Read the command line and open the device; ends the process on `--help` and on what it does not understand. */
export async function readSettings(argv: readonly string[] = process.argv): Promise<Settings> {
  const command = new Command('npm start --')
    .description('Train the spiking network of the surrogate-gradient tutorial on spoken digits.')
    .option('--epochs <n>', `epochs of each of the three trainings (${usual.epochs})`, whole)
    .option('--batch <n>', `recordings in a batch (${usual.batch})`, whole)
    .option('--steps <n>', `time steps in the second that is kept (${usual.steps}; a multiple of 8)`, whole)
    .option('--channels <n>', `input channels, binned from the 700 of the recordings (${usual.channels})`, whole)
    .option('--hidden <n>', `neurons in each of the two hidden layers (${usual.hidden})`, whole)
    .option('--rate <x>', `learning rate of the second and third training (${usual.rate})`, positive)
    .option('--seed <n>', 'seed of everything that is drawn at random', seed, 0)
    .option(
      '--device <name>',
      'wasm, webgpu (on machines without a GPU in software, at small sizes) or reference',
      device,
    )
    .option('--precision <p>', 'half or full', precision, 'half')
    .option(
      '--data <folder>',
      'a folder with shd_train.h5 and shd_test.h5, also gzipped; by default the built-in recordings',
    )
    .option('--out <folder>', 'where the pictures go', 'output')
    .option('--quick', 'the smallest sizes: shows that everything runs, in seconds')
    .allowExcessArguments(false)
    .parse(argv)
  const {
    quick: isQuick,
    device: name,
    ...given
  } = command.opts<
    Partial<Omit<Settings, 'device'>> & {
      quick?: boolean
      device?: DeviceName
      seed: number
      precision: 'half' | 'full'
      out: string
    }
  >()
  const opened = await openDevice(name)
  const slow = opened.isEmulated || opened.name === 'reference'
  const sizes = isQuick === true ? quick : slow ? small : usual
  const settings = { ...sizes, data: undefined, ...given, device: opened }
  if (settings.steps % 8 !== 0)
    command.error("error: option '--steps' must be a multiple of 8, as spikes are packed eight steps to the byte.")
  return settings
}

/** How far recordings are shifted along the channels in training: the original's 16 of 256 halved, since these recordings are fewer. */
export const shiftOf = ({ channels }: Pick<Settings, 'channels'>): number => Math.max(1, Math.round(channels / 32))

/** The settings beside the original's, as lines of text. */
export function describe(settings: Settings): string {
  const rows = (Object.keys(original) as (keyof Sizes)[]).map(
    (name) => `  ${name.padEnd(10)}${String(settings[name]).padStart(8)}${String(original[name]).padStart(12)}`,
  )
  return [
    `  ${'setting'.padEnd(10)}${'here'.padStart(8)}${'original'.padStart(12)}`,
    ...rows,
    `  ${'shift'.padEnd(10)}${String(shiftOf(settings)).padStart(8)}${'16'.padStart(12)}`,
    `  ${'precision'.padEnd(10)}${settings.precision.padStart(8)}${'half'.padStart(12)}`,
    `  ${'seed'.padEnd(10)}${String(settings.seed).padStart(8)}${'0'.padStart(12)}`,
  ].join('\n')
}
