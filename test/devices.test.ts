// Devices: how one is chosen, how arrays get from one to another, what compilations show of themselves.
import { type NDArray, type Stage, devices, grad, jit, np, onLog, setDevice } from 'fluxion'
import { spawnSync } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'

afterEach(() => setDevice('wasm'))

test('the devices that there are say whether they can be used, and what they can do', async () => {
  const found = new Map((await devices()).map((device) => [device.name, device]))
  expect(found.get('reference')).toMatchObject({ available: true, features: expect.arrayContaining(['float64']) })
  expect(found.get('wasm')).toMatchObject({ available: true, features: expect.arrayContaining(['simd']) })
})

test('arrays made on one device are moved where they are used, and keep their values', async () => {
  const x = np.array([1, 2, 3])
  await setDevice('reference')
  const y = x.mul(2)
  await setDevice('wasm')
  const z = y.add(x)
  expect([x, y, z].map((a) => [...a.dataSync()])).toEqual([
    [1, 2, 3],
    [2, 4, 6],
    [3, 6, 9],
  ])
})

test('a jitted function runs on its own device, eager operations on the chosen one', () => {
  const f = (x: NDArray): NDArray => np.sum(np.tanh(x.mul(x)))
  const x = np.linspace(-2, 2, 101)
  const results = (['reference', 'wasm'] as const).map((device) => jit(f, { device })(x).item())
  expect(results[1]).toBeCloseTo(results[0]!, 4)
})

test('a device that is not there is an error that names those that are', async () => {
  await expect(setDevice('tpu' as 'wasm')).rejects.toThrow(
    /setDevice: expected a device among reference, wasm.*, got 'tpu'/,
  )
  expect(() => jit((x: NDArray) => x.add(1), { device: 'tpu' as 'wasm' })(1)).toThrow(/got 'tpu'/)
})

test('FLUXION_DEVICE chooses the device of a process, and a wrong one is an error', () => {
  const run = (device: string) =>
    spawnSync(
      process.execPath,
      ['-e', "import('fluxion').then(({ np, backend }) => console.log(np.add(1, 2).item(), backend().name))"],
      {
        encoding: 'utf8',
        env: { ...process.env, FLUXION_DEVICE: device },
      },
    )
  expect(run('reference').stdout.trim()).toBe('3 reference')
  expect(run('wasm').stdout.trim()).toBe('3 wasm')
  expect(run('').stdout.trim()).toBe('3 wasm')
  expect(run('abacus').stderr).toMatch(/FLUXION_DEVICE: expected a device among .*, got 'abacus'/)
})

const loss = (w: NDArray, x: NDArray): NDArray => np.sum(np.maximum(np.matmul(x, w), 0))
const lowered = () => jit(grad(loss)).lower(np.ones([3, 2]), np.ones([4, 3]))

test('every stage of a compilation can be read', () => {
  const stages: readonly (readonly [Stage, RegExp])[] = [
    ['jaxpr', /dot_general/],
    ['optimised', /dot_general/],
    ['loops', /product .*parallel m < \d+/s],
    ['plan', /arena of \d+ bytes/],
    ['cost', /kernels launched.*floating-point operations/s],
    ['wat', /^\(module/],
  ]
  for (const [stage, words] of stages) expect(lowered().asText(stage)).toMatch(words)
  expect(lowered().asText()).toBe(lowered().asText('jaxpr'))
  expect(() => lowered().asText('wgsl')).toThrow(/asText: expected a stage of the device 'wasm', got 'wgsl'/)
})

/** What is logged while `f` runs. */
function logged(f: () => void): string[] {
  const lines: string[] = []
  const before = onLog((line) => lines.push(line))
  process.env['FLUXION_LOG'] = 'compile'
  try {
    f()
  } finally {
    delete process.env['FLUXION_LOG']
    onLog(before)
  }
  return lines
}

test('the log has a line for each compilation, with its times', () => {
  const double = (x: NDArray): NDArray => x.mul(2)
  const f = jit(double)
  const lines = logged(() => [f(np.ones([3])), f(np.ones([3])), f(np.ones([4]))])
  expect(lines.filter((line) => line.includes('jit(double)'))).toHaveLength(2)
  expect(lines[0]).toMatch(/fluxion: jit\(double\) on wasm: 1 equations?, traced in [\d.]+ ms, compiled in [\d.]+ ms/)
})

test('a function that is traced again and again is told of, with what differed', () => {
  const f = jit(function grow(p: { x: NDArray; k: NDArray }) {
    return p.x.add(p.k)
  })
  const lines = logged(() => {
    for (let n = 1; n <= 5; n++) f({ x: np.ones([n]), k: np.ones([1]) })
  })
  const told = lines.filter((line) => line.includes('has been traced'))
  expect(told).toHaveLength(2)
  expect(told[0]).toMatch(/jit\(grow\) has been traced 4 times: argument 0\.x was f32\[3\], and is f32\[4\] now/)
})
