/** Opening an HDF5 file through the HDF5 library, with errors that name file, dataset and index. */
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { DataFormatError } from '@fluxion/core'
import type { Dataset, Group, h5wasm } from 'h5wasm/node'

/** Numbers of one sequence or list, as the file's type has them. */
export type Numbers = ArrayLike<number | bigint>

/** A dataset of one axis. */
export interface OpenDataset {
  readonly name: string
  readonly length: number
  /** Whether sequences hold half-precision numbers, which are then given as bit patterns. */
  readonly isFloat16: boolean
  readonly numbers: () => Numbers
  readonly strings: () => readonly string[]
  readonly sequences: (start: number, end: number) => readonly Numbers[]
}

/** An open file. */
export interface Hdf5File {
  readonly find: (name: string) => OpenDataset | undefined
  /** Like `find`, but a missing dataset is an error. */
  readonly dataset: (name: string) => OpenDataset
  readonly error: (message: string, dataset?: string, index?: number) => DataFormatError
}

const formatError = (file: string, message: string, dataset?: string, index?: number): DataFormatError =>
  new DataFormatError(message, {
    file,
    ...(dataset !== undefined && { dataset }),
    ...(index !== undefined && { index }),
  })

/** The HDF5 library reports a stack, one call a line: the last says what happened. */
const reason = (cause: unknown): string => {
  const message = cause instanceof Error ? cause.message : String(cause)
  const calls = [...message.matchAll(/^ *#\d+: .*\(\): (.*)$/gm)]
  return calls.at(-1)?.[1] ?? message.split('\n')[0]!
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

/** The file itself, or the one with the ending `.gz` where only that is there. */
const located = async (path: string): Promise<string> => {
  if (await isFile(path)) return path
  if (!path.endsWith('.gz') && (await isFile(`${path}.gz`))) return `${path}.gz`
  throw formatError(
    path,
    'expected a file, got none\nhint: the folder must hold the files under the names of the data set',
  )
}

const signature = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)

/** Tell what is no HDF5 file before the HDF5 library does so in its own words. */
const checkSignature = async (path: string, file: string): Promise<void> => {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(8), 0, 8, 0)
    if (bytesRead < 8 || signature.some((byte, i) => buffer[i] !== byte)) {
      throw formatError(file, 'expected an HDF5 file, got something else: its first bytes are not those of one')
    }
  } finally {
    await handle.close()
  }
}

/**
 * Files on which the library has failed, by device and inode. It keeps such a file open, and would answer from what it remembers of
 * it even after the file has been replaced in its place; so from then on it is given a copy.
 */
const failed = new Set<string>()

const identity = async (path: string): Promise<string> => {
  const { dev, ino } = await stat(path)
  return `${dev}:${ino}`
}

const decompressed = (from: string, to: string): Promise<void> =>
  pipeline(createReadStream(from), createGunzip(), createWriteStream(to)).catch((cause: unknown) => {
    throw formatError(from, `cannot be decompressed, so it is truncated or damaged: ${reason(cause)}`)
  })

/** Open a file, pass it to `use` and close it; a compressed one by way of a temporary file, which is removed whatever happens. */
export const withHdf5 = async <T>(path: string, use: (file: Hdf5File) => T): Promise<T> => {
  const file = await located(path)
  const isCompressed = file.endsWith('.gz')
  if (!isCompressed && !failed.has(await identity(file))) return withPlain(file, file, use)
  const folder = await mkdtemp(join(tmpdir(), 'fluxion-data-'))
  try {
    const plain = join(folder, 'data.h5')
    await (isCompressed ? decompressed : copyFile)(file, plain)
    return await withPlain(plain, file, use)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const withPlain = async <T>(path: string, file: string, use: (file: Hdf5File) => T): Promise<T> => {
  await checkSignature(path, file)
  const own = await identity(path)
  const loaded = await import('h5wasm/node')
  const library = await loaded.ready
  /** Run a call of the library, whose errors say neither file nor dataset. */
  const guarded: Guard = (dataset, action) => {
    try {
      return action()
    } catch (cause) {
      failed.add(own)
      throw formatError(file, `cannot be read, so the file is truncated or damaged: ${reason(cause)}`, dataset)
    }
  }
  // By default the library prints its errors and goes on with invalid handles; this has it throw them.
  library.activate_throwing_error_handler()
  try {
    const opened = guarded(undefined, () => new loaded.File(path, 'r'))
    try {
      return use(hdf5File(opened, file, guarded, loaded))
    } finally {
      opened.close()
    }
  } finally {
    library.deactivate_throwing_error_handler()
  }
}

type Guard = <T>(dataset: string | undefined, action: () => T) => T

/** HDF5's type classes that matter here. */
const integerClass = 0
const floatClass = 1
const stringClass = 3
const sequenceClass = 9

const hdf5File = (
  opened: Group,
  file: string,
  guarded: Guard,
  { Dataset, Group }: Pick<typeof h5wasm, 'Dataset' | 'Group'>,
): Hdf5File => {
  const error = (message: string, dataset?: string, index?: number): DataFormatError =>
    formatError(file, message, dataset, index)
  const find = (name: string): OpenDataset | undefined => {
    // Asking for a name that is not there would look the same as a damaged file, so each group is asked for its names first.
    let group: Group = opened
    for (const part of name.split('/')) {
      const entity = guarded(name, () => (group.keys().includes(part) ? group.get(part) : undefined))
      if (entity === undefined) return undefined
      if (entity instanceof Dataset) return openDataset(entity, name, file, guarded)
      if (!(entity instanceof Group)) throw error('expected a group or a dataset, got another kind of entry', name)
      group = entity
    }
    throw error('expected a dataset, got a group', name)
  }
  return {
    find,
    error,
    dataset: (name) => {
      const found = find(name)
      if (found === undefined) throw error('expected a dataset of this name, got none', name)
      return found
    },
  }
}

const openDataset = (dataset: Dataset, name: string, file: string, guarded: Guard): OpenDataset => {
  const { shape, type, size, vlen_type: element } = guarded(name, () => dataset.metadata)
  if (shape?.length !== 1) throw formatError(file, `expected a list, got ${shape?.length ?? 0} axes`, name)
  const isFloat16 = type === sequenceClass && element?.type === floatClass && element.size === 2
  if (isFloat16) {
    // The library has no half precision: read the bit patterns as unsigned integers.
    const metadata = { ...dataset.metadata, vlen_type: { ...element, type: integerClass, signed: false } }
    Object.defineProperty(dataset, 'metadata', { value: metadata })
  }
  const expectType = (holds: boolean, wanted: string): void => {
    if (!holds) throw formatError(file, `expected ${wanted}, got HDF5 type class ${type} of ${size} bytes`, name)
  }
  const numeric = (kind: number | undefined): boolean => kind === integerClass || kind === floatClass
  return {
    name,
    length: shape[0]!,
    isFloat16,
    numbers: () => {
      expectType(numeric(type) && !(type === floatClass && size === 2), 'integers or floats')
      return guarded(name, () => dataset.value) as Numbers
    },
    strings: () => {
      expectType(type === stringClass, 'strings')
      return guarded(name, () => dataset.value) as readonly string[]
    },
    sequences: (start, end) => {
      expectType(type === sequenceClass && numeric(element?.type), 'sequences of numbers of variable length')
      return guarded(name, () => dataset.slice([[start, end]])) as readonly Numbers[]
    },
  }
}
