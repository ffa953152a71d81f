/** For tests: a device on SwiftShader, and kernels run on it. */
import { type Kernel, interpretKernel } from '@fluxion/compiler'
import type { TypedArray } from '@fluxion/core'
import { type Device, requestDevice } from './device/device.ts'
import { decode, encode } from './memory/elements.ts'
import { specialWords } from './print/launch.ts'
import { groupsPerRow } from './print/nest.ts'
import { printKernel } from './print/kernel.ts'
import { type Layout, separate } from './print/access.ts'
import type { Traits } from './print/traits.ts'

/** Those of a GPU with what every device has. */
export const gpuTraits: Traits = {
  shared: true,
  subgroups: false,
  half: false,
  workgroup: { bytes: 16384, invocations: 256 },
}

let opened: Promise<Device> | undefined
export const testDevice = (): Promise<Device> => (opened ??= requestDevice())

/** Run one kernel, each parameter in a buffer of its own, and read all of them. */
export async function runKernel(
  kernel: Kernel,
  args: readonly TypedArray[],
  offsets: readonly number[] = [],
  layout: Layout = separate(kernel),
  traits: Partial<Traits> = {},
): Promise<TypedArray[]> {
  const device = await testDevice()
  const { gpu } = device
  const { source, groups } = printKernel(kernel, layout, { ...device.traits, ...traits })
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const buffers = args.map((data, at) => {
    const bytes = encode(kernel.params[at]!.dtype, data)
    const buffer = gpu.createBuffer({ size: Math.max(4, bytes.byteLength), usage })
    gpu.queue.writeBuffer(buffer, 0, bytes)
    return buffer
  })
  const block = new Uint32Array(64)
  block.set(specialWords)
  offsets.forEach((offset, at) => (block[specialWords.length + at] = offset))
  const uniform = gpu.createBuffer({ size: 256, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST })
  gpu.queue.writeBuffer(uniform, 0, block)
  const module = gpu.createShaderModule({ code: source })
  const { messages } = await module.getCompilationInfo()
  const errors = messages.filter(({ type }) => type === 'error').map(({ lineNum, message }) => `${lineNum}: ${message}`)
  if (errors.length > 0) throw new Error(`${errors.join('\n')}\n${source}`)
  gpu.pushErrorScope('validation')
  const visibility = GPUShaderStage.COMPUTE
  const storage = gpu.createBindGroupLayout({
    entries: layout.writable.map((writable, binding) => ({
      binding,
      visibility,
      buffer: { type: writable ? 'storage' : 'read-only-storage' },
    })),
  })
  const numbers = gpu.createBindGroupLayout({ entries: [{ binding: 0, visibility, buffer: { type: 'uniform' } }] })
  const pipeline = gpu.createComputePipeline({
    layout: gpu.createPipelineLayout({ bindGroupLayouts: [storage, numbers] }),
    compute: { module, entryPoint: 'main' },
  })
  const encoder = gpu.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const entries = layout.writable.map((_, binding) => ({
    binding,
    resource: { buffer: buffers[layout.bindingOf.indexOf(binding)]! },
  }))
  pass.setBindGroup(0, gpu.createBindGroup({ layout: storage, entries }))
  pass.setBindGroup(
    1,
    gpu.createBindGroup({ layout: numbers, entries: [{ binding: 0, resource: { buffer: uniform } }] }),
  )
  pass.dispatchWorkgroups(Math.min(groups, groupsPerRow), Math.ceil(groups / groupsPerRow))
  pass.end()
  const stagings = buffers.map((buffer) => {
    const staging = gpu.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size)
    return staging
  })
  gpu.queue.submit([encoder.finish()])
  const error = await gpu.popErrorScope()
  if (error !== null) throw new Error(`${error.message}\n${source}`)
  const results = await Promise.all(
    stagings.map(async (staging, at) => {
      await staging.mapAsync(GPUMapMode.READ)
      const data = decode(kernel.params[at]!.dtype, staging.getMappedRange(), args[at]!.length)
      staging.destroy()
      return data
    }),
  )
  for (const buffer of [...buffers, uniform]) buffer.destroy()
  return results
}

/** What the interpreter makes of the same. */
export function interpreted(
  kernel: Kernel,
  args: readonly TypedArray[],
  offsets: readonly number[] = [],
): TypedArray[] {
  const copies = args.map((data) => data.slice())
  interpretKernel(kernel, copies, offsets)
  return copies
}
