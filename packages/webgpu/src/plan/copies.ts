/** Copies as kernels: in whole words where all is aligned to them, else element by element. */
import { Buffer, LoopVar, type Nest, type Place, load, store, variable } from '@fluxion/compiler'
import { type DType, bytesOf } from '@fluxion/core'

/** Unsigned integers of one size: bits stay as they are. */
const plain: Readonly<Record<number, DType>> = { 1: 'uint8', 2: 'uint16', 4: 'uint32', 8: 'float64' }
const kernels = new Map<string, Nest>()

/** A kernel that copies, and how many of its elements one of the places' is. */
export function copyKernel(from: Place, to: Place, length: number): { readonly kernel: Nest; readonly scale: number } {
  const size = bytesOf(from.slot.dtype)
  const whole = (elements: number): boolean => (elements * size) % 4 === 0
  const aligned = ({ offset, moves }: Place): boolean => whole(offset) && moves.every(({ stride }) => whole(stride))
  const words = size < 4 && whole(length) && aligned(from) && aligned(to)
  const scale = words ? size / 4 : 1
  const dtype = words ? 'uint32' : plain[size]!
  const key = `${dtype} ${scale * length}`
  let kernel = kernels.get(key)
  if (kernel === undefined) {
    const [x, out] = [new Buffer('from', dtype, scale * length), new Buffer('to', dtype, scale * length)]
    const i = new LoopVar('i', scale * length)
    const body = [store(out, variable(i), load(x, variable(i)))]
    kernel = { kind: 'nest', name: 'copy', params: [x, out], grid: [i], body }
    if (kernels.size > 1000) kernels.clear()
    kernels.set(key, kernel)
  }
  return { kernel, scale }
}
