/** The loader of the Spiking Heidelberg Digits, and of every data set in their layout: batches of packed spikes, ready for a scan. */
import { type NDArray, OptionError, checkOptions, np, random } from '@fluxion/core'
import { type TaskEither, tryCatch } from 'fp-ts/lib/TaskEither.js'
import { builtInFolder, findRecordings } from './folders.ts'
import { permutationFrom, uniformGenerator } from './cochlea/generator.ts'
import { readRecordings } from './hdf5/read.ts'
import type { Recordings } from './hdf5/recordings.ts'
import { rasterize } from './raster.ts'

/** Spikes and classes: u8[…, batch, ⌈T/8⌉, channels], of which `np.unpackbits(obs, { axis: -2 })` gives the time steps, and i32[…, batch]. */
export interface Batch {
  readonly obs: NDArray
  readonly labels: NDArray
}
/** What became of one recording. */
export interface RecordingResult {
  readonly label: number
  readonly prediction: number
  readonly right: boolean
  /** Who speaks; −1 where the file does not say. */
  readonly speaker: number
  /** Whether that speaker is heard in the training set. */
  readonly heard: boolean
}
/** All recordings of a split, the last batch filled up with silence. */
export interface EveryRecording extends Batch {
  /** bool[batches, batch]: false for what fills up. */
  readonly valid: NDArray
  /** The results of the recordings, without the filling, from predicted classes [batches, batch]. */
  recordings(predictions: NDArray): RecordingResult[]
}

export interface Loader {
  readonly batchSize: number
  readonly trainLength: number
  readonly valLength: number
  readonly testLength: number
  /** The shape of one sample, time steps and channels. */
  readonly obsShape: readonly [steps: number, channels: number]
  readonly classes: number
  /** The training split in an order that the key decides, in whole batches; can be traced. */
  trainEpoch(key: NDArray): Batch
  /** The validation split in whole batches. */
  valEpoch(): Batch
  /** The test set in whole batches. */
  testEpoch(): Batch
  /** Every test recording. */
  everyTest(): EveryRecording
  /** Every recording of the validation split. */
  everyVal(): EveryRecording
}

export interface LoaderOptions {
  /** Recordings in a batch (256). */
  batchSize?: number
  /** Time steps in the second that is kept (128). */
  sampleT?: number
  /** Channels after binning from 700 (128). */
  channels?: number
  /** The part of the training file that is kept for validation (0.2). */
  valSize?: number
  /** Decides which part that is (0). */
  seed?: number
  /** A folder with `shd_train.h5` and `shd_test.h5`, also gzipped; by default the built-in spoken digits. */
  path?: string
}

/** Rasters of some recordings, on the host. */
interface Split {
  readonly packed: Uint8Array
  readonly labels: Uint8Array
  readonly speakers: Uint8Array
}

const check = (where: string, name: string, value: number, fits: boolean, expected: string): void => {
  if (!fits) throw new OptionError(`${where}: expected ${name} ${expected}, got ${value}`)
}

/**
 * Load the Spiking Heidelberg Digits (Cramer et al. 2020), or the built-in spoken digits in the same layout: recordings binned to
 * binary rasters of the first second, split into training, validation and test.
 *
 * @throws DataFormatError on a missing, truncated or malformed file; OptionError on sizes that cannot be
 * @example
 * ```ts
 * import { random } from 'fluxion'
 * import { shdLoader } from '@fluxion/data'
 * const shd = await shdLoader({ batchSize: 64, sampleT: 16, channels: 35 })
 * shd.trainEpoch(random.key(0)).obs.shape.slice(1) // => [64, 2, 35]
 * ```
 */
export async function shdLoader(options: LoaderOptions = {}): Promise<Loader> {
  checkOptions('shdLoader', options, ['batchSize', 'sampleT', 'channels', 'valSize', 'seed', 'path'])
  const { batchSize = 256, sampleT = 128, channels = 128, valSize = 0.2, seed = 0, path = builtInFolder } = options
  const isCount = (value: number): boolean => Number.isInteger(value) && value > 0
  check('shdLoader', 'batchSize', batchSize, isCount(batchSize), 'a whole number above 0')
  check('shdLoader', 'sampleT', sampleT, isCount(sampleT), 'a whole number above 0')
  check('shdLoader', 'channels', channels, isCount(channels) && channels <= 700, 'a whole number from 1 to 700')
  check('shdLoader', 'valSize', valSize, valSize > 0 && valSize < 1, 'between 0 and 1')

  const bytes = Math.ceil(sampleT / 8)
  const sampleSize = bytes * channels
  const raster = (recordings: Recordings): Split => ({
    packed: rasterize(recordings, { sampleT, channels }).packed,
    labels: recordings.labels,
    speakers: recordings.speakers,
  })
  const whole = raster(await readRecordings(await findRecordings(path, 'shd_train')))
  const test = raster(await readRecordings(await findRecordings(path, 'shd_test')))
  const order = permutationFrom(uniformGenerator(seed), whole.labels.length)
  const valLength = Math.round(valSize * order.length)
  const train = pick(whole, order.slice(valLength), sampleSize)
  const val = pick(whole, order.slice(0, valLength), sampleSize)
  for (const [name, split] of Object.entries({ training: train, validation: val, test })) {
    check('shdLoader', 'batchSize', batchSize, batchSize <= split.labels.length, `at most the ${split.labels.length} recordings of the ${name} split`)
  }

  const heard = new Set(whole.speakers)
  const arrays = (split: Split): Batch => ({
    obs: np.asarray(split.packed).reshape([split.labels.length, bytes, channels]),
    labels: np.asarray(split.labels).astype('int32'),
  })
  const inBatches = (x: NDArray): NDArray => {
    const batches = Math.floor(x.shape[0] / batchSize)
    return x.get(`:${batches * batchSize}`).reshape([batches, batchSize, ...x.shape.slice(1)])
  }
  const batched = ({ obs, labels }: Batch): Batch => ({ obs: inBatches(obs), labels: inBatches(labels) })
  const trainArrays = arrays(train)
  const valBatches = batched(arrays(val))
  const testBatches = batched(arrays(test))

  return {
    batchSize,
    trainLength: train.labels.length,
    valLength: val.labels.length,
    testLength: test.labels.length,
    obsShape: [sampleT, channels],
    classes: 20,
    trainEpoch(key) {
      const shuffled = random.permutation(key, train.labels.length)
      return batched({ obs: np.take(trainArrays.obs, shuffled, { axis: 0 }), labels: np.take(trainArrays.labels, shuffled, { axis: 0 }) })
    },
    valEpoch: () => valBatches,
    testEpoch: () => testBatches,
    everyTest: () => everyRecording(test, batchSize, bytes, channels, heard),
    everyVal: () => everyRecording(val, batchSize, bytes, channels, heard),
  }
}

/** The same as a `TaskEither` (fp-ts): nothing is read before it runs, and what goes wrong is a value. */
export const shdLoaderTask = (options: LoaderOptions = {}): TaskEither<Error, Loader> =>
  tryCatch(
    () => shdLoader(options),
    (error) => (error instanceof Error ? error : new Error(String(error))),
  )

/** Some of the recordings, in the given order. */
function pick({ packed, labels, speakers }: Split, indices: Int32Array, sampleSize: number): Split {
  const chosen = new Uint8Array(indices.length * sampleSize)
  indices.forEach((from: number, to: number) => chosen.set(packed.subarray(from * sampleSize, (from + 1) * sampleSize), to * sampleSize))
  return {
    packed: chosen,
    labels: Uint8Array.from(indices, (i) => labels[i]!),
    speakers: speakers.length === 0 ? speakers : Uint8Array.from(indices, (i) => speakers[i]!),
  }
}

function everyRecording({ packed, labels, speakers }: Split, batchSize: number, bytes: number, channels: number, heard: ReadonlySet<number>): EveryRecording {
  const batches = Math.ceil(labels.length / batchSize)
  const filled = new Uint8Array(batches * batchSize * bytes * channels)
  filled.set(packed)
  const classes = new Int32Array(batches * batchSize)
  classes.set(labels)
  const valid = np.arange(batches * batchSize).lt(labels.length)
  return {
    obs: np.asarray(filled).reshape([batches, batchSize, bytes, channels]),
    labels: np.asarray(classes).reshape([batches, batchSize]),
    valid: valid.reshape([batches, batchSize]),
    recordings(predictions) {
      const predicted = predictions.ravel().dataSync()
      return Array.from(labels, (label, i) => {
        const speaker = speakers[i] ?? -1
        return { label, prediction: predicted[i]!, right: predicted[i] === label, speaker, heard: heard.size === 0 || heard.has(speaker) }
      })
    },
  }
}
