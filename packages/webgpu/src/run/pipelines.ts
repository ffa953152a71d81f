/** Compute pipelines, made once for each source while the caller goes on. */
import { DeviceError } from '@fluxion/core'
import type { Device } from '../device/device.ts'

/** A pipeline, ready once `ready` has resolved. */
export interface Pipeline {
  readonly name: string
  readonly storage: GPUBindGroupLayout
  readonly ready: Promise<void>
  gpu: GPUComputePipeline | undefined
}

/** So many are remembered; programs hold on to their own. */
const mostPipelines = 4096

export class Pipelines {
  readonly #device: Device
  readonly #pipelines = new Map<string, Pipeline>()
  readonly #layouts = new Map<string, GPUBindGroupLayout>()
  /** The layout of the one group that all share: numbers of a dispatch, at an offset of its own. */
  readonly numbers: GPUBindGroupLayout

  constructor(device: Device) {
    this.#device = device
    this.numbers = device.gpu.createBindGroupLayout({
      label: 'numbers',
      entries: [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
      ],
    })
  }
  /** How many different programs there are. */
  get size(): number {
    return this.#pipelines.size
  }

  /** @param writable of each binding, whether it can be written to */
  get(name: string, source: string, writable: readonly boolean[]): Pipeline {
    let pipeline = this.#pipelines.get(source)
    if (pipeline === undefined) {
      this.#pipelines.set(source, (pipeline = this.#make(name, source, writable)))
      if (this.#pipelines.size > mostPipelines) this.#pipelines.delete(this.#pipelines.keys().next().value!)
    }
    return pipeline
  }
  #make(name: string, source: string, writable: readonly boolean[]): Pipeline {
    const storage = this.#layoutOf(writable)
    const { gpu } = this.#device
    // Errors of the text are asked for where the pipeline fails; nobody else is to hear of them.
    gpu.pushErrorScope('validation')
    const module = gpu.createShaderModule({ code: source, label: name })
    gpu.popErrorScope().catch(() => {})
    const layout = gpu.createPipelineLayout({ bindGroupLayouts: [storage, this.numbers] })
    const made = gpu.createComputePipelineAsync({ label: name, layout, compute: { module, entryPoint: 'main' } })
    const pipeline: Pipeline = {
      name,
      storage,
      gpu: undefined,
      ready: this.#device.wait(
        made.then(
          (compiled) => void (pipeline.gpu = compiled),
          async (cause: unknown) => {
            this.#pipelines.delete(source)
            throw await compilationError(name, source, module, cause)
          },
        ),
      ),
    }
    // Whoever waits hears of it; nobody may.
    pipeline.ready.catch(() => {})
    return pipeline
  }
  #layoutOf(writable: readonly boolean[]): GPUBindGroupLayout {
    const key = writable.map(Number).join('')
    let layout = this.#layouts.get(key)
    if (layout === undefined) {
      layout = this.#device.gpu.createBindGroupLayout({
        entries: writable.map((write, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: write ? 'storage' : 'read-only-storage' },
        })),
      })
      this.#layouts.set(key, layout)
    }
    return layout
  }
}

/** What is wrong with a kernel's text, and the line that it is about. */
async function compilationError(
  name: string,
  source: string,
  module: GPUShaderModule,
  cause: unknown,
): Promise<DeviceError> {
  const { messages } = await module.getCompilationInfo()
  const lines = source.split('\n')
  const shown = messages
    .filter(({ type }) => type === 'error')
    .map(({ lineNum, message }) => `${message}\n  ${lineNum}: ${lines[lineNum - 1]?.trim() ?? ''}`)
  const what = shown.length > 0 ? shown.join('\n') : cause instanceof Error ? cause.message : String(cause)
  return new DeviceError(`webgpu: the kernel '${name}' does not compile: ${what}`, { cause })
}
