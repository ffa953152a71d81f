/** Asks a device how the invocations of a workgroup lie in its subgroups: WGSL leaves it open, and sums by subgroups need it. */

const size = 256
const source = `enable subgroups;
@group(0) @binding(0) var<storage, read_write> places: array<u32>;
@compute @workgroup_size(${size})
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) place: u32,
  @builtin(subgroup_size) count: u32,
) {
  places[lane] = select(0u, count, place == lane % count);
}
`

/** Whether subgroups are powers of two of invocations next to each other, in order. The device has the feature `subgroups`. */
export async function hasOrderedSubgroups(gpu: GPUDevice): Promise<boolean> {
  const bytes = 4 * size
  const places = gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC })
  const staging = gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
  try {
    const module = gpu.createShaderModule({ code: source, label: 'subgroups' })
    const pipeline = await gpu.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } })
    const entries = [{ binding: 0, resource: { buffer: places } }]
    const encoder = gpu.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
    pass.dispatchWorkgroups(1)
    pass.end()
    encoder.copyBufferToBuffer(places, 0, staging, 0, bytes)
    gpu.queue.submit([encoder.finish()])
    await staging.mapAsync(GPUMapMode.READ)
    const counts = new Uint32Array(staging.getMappedRange())
    const [count = 0] = counts
    return count > 1 && (count & (count - 1)) === 0 && counts.every((each) => each === count)
  } catch {
    // A device that does not compile it has none that are of use.
    return false
  } finally {
    places.destroy()
    staging.destroy()
  }
}
