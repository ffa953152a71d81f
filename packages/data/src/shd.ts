/** The loader of the Heidelberg digits: real files and the built-in spoken digits alike. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FluxionError, OptionError, checkOptions, misuse, np } from '@fluxion/core'
import type { NDArray } from '@fluxion/core'
import { tryCatch } from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { checkBatch, shuffledBatches } from './batches.ts'
import { permutationFrom, uniformGenerator } from './cochlea/generator.ts'
import { visitRecordings } from './hdf5/read.ts'
import type { Known } from './hdf5/read.ts'
import { rasterOf } from './raster.ts'

/** What is loaded, and how it is cut. */
export interface ShdOptions {
  /** Recordings in a batch (256). */
  readonly batchSize?: number
  /** Time steps in the first second, which is what is kept (128). */
  readonly sampleT?: number
  /** Channels into which the 700 units are binned (128). */
  readonly channels?: number
  /** Share of the training file that is set apart for validation (0.2). */
  readonly valSize?: number
  /** Folder of `shd_train.h5` and `shd_test.h5`, or the same with `.gz`; the built-in spoken digits by default. */
  readonly path?: string
  /** Seed of the validation split (0). */
  readonly seed?: number
}

/** Recordings and their labels; with a leading axis of batches, what a scan over an epoch takes. */
export interface Batch {
  /** u8[…, ⌈sampleT/8⌉, channels], eight steps to the byte: `np.unpackbits(obs, { axis: -2 })` */
  readonly obs: NDArray
  /** u8[…] */
  readonly labels: NDArray
}

/** All test recordings in batches, the last one filled up with silence. */
export interface MaskedBatch extends Batch {
  /** bool[batches, batch], false where the last batch is filled up */
  readonly mask: NDArray
  /** bool[batches, batch], whether the speaker is heard in training; false where filled up */
  readonly heard: NDArray
}

/** A data set, cut into batches. */
export interface Loader {
  /** A new order for each key; may be traced. What does not fill a batch is left out. */
  readonly trainEpoch: (key: NDArray) => Batch
  readonly valEpoch: () => Batch
  readonly testEpoch: () => Batch
  /** Every test recording, for an accuracy that leaves none out. */
  readonly testAll: () => MaskedBatch
  readonly batchSize: number
  /** Recordings in each split. */
  readonly sizes: { readonly train: number; readonly val: number; readonly test: number }
  /** Shape of an observation at one step. */
  readonly obsShape: readonly [channels: number]
  /** Shape of an answer at one step. */
  readonly actShape: readonly [classes: number]
  /** Names of the labels; empty where the files have none. */
  readonly keys: readonly string[]
}

/** The folder of the spoken digits that come with the package. */
export const builtInDigits: string = fileURLToPath(new URL('../datasets/spoken-digits', import.meta.url))

const classes = 20

/** Rasters and labels of some recordings, on the host. */
interface Split {
  readonly packed: Uint8Array
  readonly labels: Uint8Array
}

/** Read a file into a raster, a recording at a time. */
const readSplit = async (path: string, sampleT: number, channels: number): Promise<Known & Split> => {
  let packed: Uint8Array = new Uint8Array(0)
  const known = await visitRecordings(path, { classes }, ({ labels }) => {
    const { raster, add } = rasterOf(labels.length, { sampleT, channels })
    packed = raster.packed
    return add
  })
  return { ...known, packed }
}

/** Take recordings in the given order; an index past the end gives silence. */
const pick = ({ packed, labels }: Split, order: ArrayLike<number>): Split => {
  const row = packed.length / labels.length
  const out = { packed: new Uint8Array(order.length * row), labels: new Uint8Array(order.length) }
  for (let i = 0; i < order.length; i += 1) {
    const from = order[i]!
    if (from >= labels.length) continue
    out.packed.set(packed.subarray(from * row, (from + 1) * row), i * row)
    out.labels[i] = labels[from]!
  }
  return out
}

const upTo = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i)

const arrayOf = (host: Uint8Array, ...shape: readonly number[]): NDArray =>
  np.array(host, { dtype: 'uint8' }).reshape([...shape])

const checkCount = (name: string, value: number, most: number): void => {
  if (Number.isInteger(value) && value >= 1 && value <= most) return
  throw new OptionError(misuse('shdLoader', `a ${name} that is a whole number from 1 to ${most}`, String(value)))
}

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined
  return () => (made ??= make())
}

/**
 * Load the Heidelberg digits (Cramer et al. 2020), or the built-in spoken digits, as binary rasters packed along time.
 *
 * Binning is Spyx's (`rasterize`). Validation is ⌈valSize·N⌉ recordings of the training file, chosen by seed. Where Spyx is left
 * without batches because the batch size divides the split, all are kept here.
 *
 * @throws DataFormatError where a file is missing or wrong; OptionError where an option cannot be, such as a batch larger than its split
 *
 * @example
 * ```ts
 * import { random } from '@fluxion/core'
 * import { shdLoader } from '@fluxion/data'
 * const shd = await shdLoader({ batchSize: 64, sampleT: 32, channels: 16 })
 * shd.trainEpoch(random.key(0)).obs.shape // => [16, 64, 4, 16]
 * shd.testAll().mask.sum().item() // => 400
 * ```
 */
export const shdLoader = async (options: ShdOptions = {}): Promise<Loader> => {
  checkOptions('shdLoader', options, ['batchSize', 'sampleT', 'channels', 'valSize', 'path', 'seed'])
  const { batchSize = 256, sampleT = 128, channels = 128, valSize = 0.2, path = builtInDigits, seed = 0 } = options
  checkCount('sampleT', sampleT, 1_000_000)
  checkCount('channels', channels, 700)
  if (!(valSize >= 0 && valSize < 1))
    throw new OptionError(misuse('shdLoader', 'a valSize from 0 to below 1', String(valSize)))
  const row = [Math.ceil(sampleT / 8), channels] as const
  const train = await readSplit(join(path, 'shd_train.h5'), sampleT, channels)
  const test = await readSplit(join(path, 'shd_test.h5'), sampleT, channels)

  const order = permutationFrom(uniformGenerator(seed), train.labels.length)
  const val = Math.ceil(valSize * order.length)
  const sizes = { train: order.length - val, val, test: test.labels.length }
  checkBatch('shdLoader', batchSize, 'training split', sizes.train)
  if (val > 0) checkBatch('shdLoader', batchSize, 'validation split', val)

  const batched = (split: Split, rows: ArrayLike<number>): Batch => {
    const { packed, labels } = pick(split, rows)
    const batches = rows.length / batchSize
    return { obs: arrayOf(packed, batches, batchSize, ...row), labels: arrayOf(labels, batches, batchSize) }
  }
  const wholeBatches = (name: string, split: Split, rows: Int32Array): Batch => {
    checkBatch('shdLoader', batchSize, name, rows.length)
    return batched(split, rows.subarray(0, rows.length - (rows.length % batchSize)))
  }
  const kept = pick(train, order.subarray(val))
  const trainArrays = [arrayOf(kept.packed, sizes.train, ...row), arrayOf(kept.labels, sizes.train)] as const
  return {
    trainEpoch: (key) => {
      const [obs, labels] = shuffledBatches(trainArrays, key, batchSize)
      return { obs, labels }
    },
    valEpoch: once(() => wholeBatches('validation split', train, order.subarray(0, val))),
    testEpoch: once(() => wholeBatches('test split', test, upTo(sizes.test))),
    testAll: once(() => {
      const rows = upTo(Math.ceil(sizes.test / batchSize) * batchSize)
      const known = new Set(train.speakers)
      // Without speakers in the files nobody can be told to be unheard.
      const isHeard = (i: number): boolean => known.size === 0 || known.has(test.speakers[i]!)
      const flags = (holds: (i: number) => boolean): NDArray =>
        arrayOf(
          Uint8Array.from(rows, (i) => Number(i < sizes.test && holds(i))),
          rows.length / batchSize,
          batchSize,
        ).astype('bool')
      return { ...batched(test, rows), mask: flags(() => true), heard: flags(isHeard) }
    }),
    batchSize,
    sizes,
    obsShape: [channels],
    actShape: [classes],
    keys: train.keys,
  }
}

/**
 * `shdLoader` as a task that fails by value: left is a `DataFormatError` or an `OptionError`; any other error still rejects.
 *
 * @example
 * ```ts
 * import { tryShdLoader } from '@fluxion/data'
 * import { isLeft } from 'fp-ts/lib/Either.js'
 * isLeft(await tryShdLoader({ path: 'no/such/folder' })()) // => true
 * ```
 */
export const tryShdLoader = (options: ShdOptions = {}): TaskEither<FluxionError, Loader> =>
  tryCatch(
    () => shdLoader(options),
    (cause) => {
      if (cause instanceof FluxionError) return cause
      throw cause
    },
  )
