// Splits, batches and order of the loader of digits.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import { DataFormatError, OptionError, jit, lax, np, random } from '@fluxion/core'
import type { NDArray } from '@fluxion/core'
import { recordingsFrom } from './hdf5/recordings.ts'
import { writeRecordings } from './hdf5/write.ts'
import { shdLoader, tryShdLoader } from './shd.ts'

let path = ''
/** Recording i has one event, whose step and channel tell which it is, so that labels can be checked against observations. */
const recording = (
  i: number,
  speaker: number,
): { times: number[]; units: number[]; label: number; speaker: number } => ({
  times: [(i % 16) / 16 + 0.01],
  units: [Math.floor(i / 16) * 7],
  label: i % 20,
  speaker,
})
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'fluxion-shd-'))
  const train = Array.from({ length: 50 }, (_, i) => recording(i, i % 4))
  const test = Array.from({ length: 13 }, (_, i) => recording(i, i % 5))
  await writeRecordings(join(path, 'shd_train.h5'), recordingsFrom(train, ['zero']))
  await writeRecordings(join(path, 'shd_test.h5.gz'), recordingsFrom(test))
})
afterAll(() => rm(path, { recursive: true }))

const load = (batchSize: number, valSize = 0.2): ReturnType<typeof shdLoader> =>
  shdLoader({ path, batchSize, valSize, sampleT: 16, channels: 100 })

/** The numbers of the recordings that an array of packed observations holds. */
const numbersOf = (obs: NDArray): number[] => {
  const bits = np.unpackbits(obs, { axis: -2 })
  return (bits.reshape([-1, 1600]).toArray() as number[][]).map((row) => {
    expect(row.reduce((sum, bit) => sum + bit, 0)).toBe(1)
    const at = row.indexOf(1)
    return (at % 100) * 16 + Math.floor(at / 100)
  })
}

test('every split has its own recordings, each with its label, in whole batches', async () => {
  const shd = await load(4)
  expect(shd.sizes).toEqual({ train: 40, val: 10, test: 13 })
  expect([shd.obsShape, shd.actShape, shd.keys]).toEqual([[100], [20], ['zero']])
  const train = shd.trainEpoch(random.key(0))
  const val = shd.valEpoch()
  expect([train.obs.shape, train.labels.shape, train.obs.dtype, train.labels.dtype]).toEqual([
    [10, 4, 2, 100],
    [10, 4],
    'uint8',
    'uint8',
  ])
  expect(val.obs.shape).toEqual([2, 4, 2, 100])
  expect(shd.testEpoch().obs.shape).toEqual([3, 4, 2, 100])
  for (const { obs, labels } of [train, val, shd.testEpoch()]) {
    expect(labels.ravel().toArray()).toEqual(numbersOf(obs).map((i) => i % 20))
  }
  const seen = new Set([...numbersOf(train.obs), ...numbersOf(val.obs)])
  expect(seen.size).toBe(48)
})

test('all batches are kept where the batch size divides the split', async () => {
  const shd = await load(10)
  expect(shd.trainEpoch(random.key(0)).obs.shape[0]).toBe(4)
  expect(shd.valEpoch().obs.shape[0]).toBe(1)
})

test('a key decides the order of training, the same in a compiled scan', async () => {
  const shd = await load(5)
  const order = (seed: number): number[] => numbersOf(shd.trainEpoch(random.key(seed)).obs)
  expect(order(1)).toEqual(order(1))
  expect(order(1)).not.toEqual(order(2))
  expect(order(1).toSorted()).toEqual(order(2).toSorted())
  const epochs = jit(() =>
    lax.scan((c, key) => [c, shd.trainEpoch(key).labels], 0, np.stack([random.key(1), random.key(2)])),
  )
  const [, labels] = epochs()
  expect(labels.toArray()).toEqual([1, 2].map((seed) => shd.trainEpoch(random.key(seed)).labels.toArray()))
})

test('the seed decides which recordings are for validation', async () => {
  const val = async (seed: number): Promise<number[]> =>
    numbersOf((await shdLoader({ path, batchSize: 5, sampleT: 16, channels: 100, seed })).valEpoch().obs)
  expect(await val(0)).toEqual(await val(0))
  expect(await val(0)).not.toEqual(await val(1))
})

test('every test recording can be evaluated, and who speaks is told as heard or unheard', async () => {
  const { obs, labels, mask, heard } = (await load(4)).testAll()
  expect([obs.shape, labels.shape, mask.shape, mask.dtype]).toEqual([[4, 4, 2, 100], [4, 4], [4, 4], 'bool'])
  const numbers = Array.from({ length: 13 }, (_, i) => i)
  expect(mask.ravel().toArray()).toEqual(Array.from({ length: 16 }, (_, i) => Number(i < 13)))
  expect(numbersOf(obs.reshape([16, 2, 100]).get(':13'))).toEqual(numbers)
  expect(np.sum(obs.reshape([16, 2, 100]).get('13:')).item()).toBe(0)
  expect(heard.ravel().toArray()).toEqual([...numbers.map((i) => Number(i % 5 < 4)), 0, 0, 0])
})

test('a batch larger than a split, and sizes that are none, are refused', async () => {
  await expect(load(41)).rejects.toThrow(
    'shdLoader: expected a batchSize that is a whole number from 1 to 40, got 41\nhint: the training split holds 40',
  )
  await expect(load(11)).rejects.toThrow('hint: the validation split holds 10, so a larger batch would never be full')
  await expect(load(0)).rejects.toThrow(OptionError)
  const without = await load(20, 0)
  expect(() => without.valEpoch()).toThrow('the validation split holds 0')
  expect(() => without.testEpoch()).toThrow('the test split holds 13')
  expect(without.testAll().obs.shape).toEqual([1, 20, 2, 100])
  await expect(shdLoader({ path, channels: 701 })).rejects.toThrow(
    'shdLoader: expected a channels that is a whole number from 1 to 700, got 701',
  )
  await expect(shdLoader({ path, sampleT: 0 })).rejects.toThrow(OptionError)
  await expect(shdLoader({ path, valSize: 1 })).rejects.toThrow('expected a valSize from 0 to below 1, got 1')
  await expect(shdLoader({ batch: 3 } as object)).rejects.toThrow("expected known options, got 'batch'")
})

test('as a task, what is wrong with files or options is a value', async () => {
  const missing = await tryShdLoader({ path: join(path, 'none') })()
  expect(isLeft(missing) && missing.left).toBeInstanceOf(DataFormatError)
  const wrong = await tryShdLoader({ path, batchSize: 0.5 })()
  expect(isLeft(wrong) && wrong.left).toBeInstanceOf(OptionError)
  expect(isRight(await tryShdLoader({ path, batchSize: 4 })())).toBe(true)
})
