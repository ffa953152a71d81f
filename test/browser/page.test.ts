// The page of examples/browser, bundled, in a headless Chromium: what is in the bundle, and that both devices train as the reference back end does.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, join } from 'node:path'
import { setDevice } from 'fluxion'
import type { Browser, BrowserContext } from 'playwright-core'
import { type PreviewServer, type Rolldown, build, preview } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeTraining } from '../../examples/browser/training.ts'
import { launchChromium, whyNoChromium } from '../../tools/chromium/chromium.ts'
import { packageOrder } from '../../tools/layers/tables.ts'

const root = join(import.meta.dirname, '..', '..')
const epochs = 4
const patience = 60_000

/** What bundlers must not have met: modules of Node's, what Vite puts in their place, and Dawn. */
const foreign = (id: string): boolean =>
  isBuiltin(id) || id.includes('__vite-browser-external') || /node_modules\/webgpu\//.test(id)
/** All modules of a bundle, and what it leaves to be found by the page. */
function contents(result: unknown): { readonly modules: string[]; readonly left: string[] } {
  const { output } = result as Rolldown.RolldownOutput
  const chunks = output.filter((part) => part.type === 'chunk')
  const files = new Set(output.map(({ fileName }) => fileName))
  return {
    modules: chunks.flatMap(({ moduleIds }) => moduleIds),
    left: chunks
      .flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
      .filter((name) => !files.has(name)),
  }
}

test(
  'every package for pages is bundled whole without modules of Node and without Dawn',
  async () => {
    // data needs Node's files
    const own = packageOrder.filter((name) => !['data', 'testing', 'fluxion'].includes(name))
    // The umbrella loads WebGPU when it is asked for, so that no other import may bring it along.
    const names = ['fluxion', ...own.filter((name) => name !== 'webgpu').map((name) => `@fluxion/${name}`)]
    const entry = names.map((name, i) => `export * as package${i} from '${name}'`).join('\n')
    const at = join(root, 'all-packages.js')
    const warnings: string[] = []
    const bundle = await build({
      root,
      configFile: false,
      logLevel: 'silent',
      plugins: [
        {
          name: 'entry',
          resolveId: (id) => (id === at ? id : undefined),
          load: (id) => (id === at ? entry : undefined),
        },
      ],
      build: {
        write: false,
        lib: { entry: at, formats: ['es'] },
        rolldownOptions: { treeshake: false, onLog: (_, { message }) => void warnings.push(message) },
      },
    })
    const { modules, left } = contents((bundle as unknown[])[0])
    for (const name of own) expect(modules.some((id) => id.startsWith(join(root, 'packages', name, 'src')))).toBe(true)
    expect(modules.filter(foreign)).toEqual([])
    expect(left).toEqual([])
    expect(warnings).toEqual([])
  },
  patience,
)

interface Sums {
  readonly sum: number
  readonly workers: number
}
/** A module that computes on some threads, and counts the workers that were started for it. */
const computing = `
import { jit, np, ready, setThreads } from './fluxion.js'
let workers = 0
self.Worker = class extends Worker {
  constructor(...args) {
    super(...args)
    workers++
  }
}
export async function compute(threads) {
  workers = 0
  setThreads(threads)
  await ready()
  const f = jit((x) => np.tanh(x.mul(2)).sum())
  let sum
  for (let i = 0; i < 20; i++) sum = f(np.arange(2 ** 20).astype('float32').mul(1e-6)).item()
  return { sum, workers }
}
`
const reason = whyNoChromium()
describe.skipIf(reason !== undefined)(`in Chromium${reason === undefined ? '' : `: ${reason}`}`, () => {
  let folder: string
  let server: PreviewServer
  let browser: Browser
  let bundle: unknown
  beforeAll(async () => {
    await mkdir(join(root, '.cache'), { recursive: true })
    folder = await mkdtemp(join(root, '.cache', 'page-'))
    const config = {
      configFile: join(root, 'examples', 'browser', 'vite.config.ts'),
      logLevel: 'error',
      build: { outDir: folder },
      preview: { host: '127.0.0.1', port: 0 },
    } as const
    bundle = await build(config)
    server = await preview(config)
    browser = await launchChromium()
  }, patience)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Open the page, wait until it has trained or failed, and give what it says. */
  async function visit(query: string, prepare?: (context: BrowserContext) => Promise<unknown>) {
    const context = await browser.newContext()
    try {
      await prepare?.(context)
      const page = await context.newPage()
      const errors: string[] = []
      page.on('pageerror', ({ message }) => errors.push(message))
      await page.goto(`${server.resolvedUrls!.local[0]}?${query}`)
      const ended = page.locator('main[data-state=done], main[data-state=failed]')
      await ended.waitFor({ timeout: patience }).catch((cause) => {
        throw new Error(`the page did not end: ${errors.join('; ')}`, { cause })
      })
      const { state, device, losses, accuracies } = await ended.evaluate((main) => ({
        ...(main as HTMLElement).dataset,
      }))
      return {
        state,
        device,
        errors,
        losses: JSON.parse(losses ?? '[]') as number[],
        accuracies: JSON.parse(accuracies ?? '[]') as number[],
        curves: await page.locator('#curves svg[role=img]').count(),
        problem: (await page.locator('#problem:visible').allTextContents()).join(''),
      }
    } finally {
      await context.close()
    }
  }

  test('the page holds no modules of Node', () => {
    const { modules, left } = contents(bundle)
    expect(modules.filter(foreign)).toEqual([])
    expect(left).toEqual([])
  })

  describe('numbers', () => {
    const expected = { losses: [] as number[], accuracies: [] as number[] }
    beforeAll(async () => {
      await setDevice('reference')
      try {
        for await (const { loss, accuracy } of makeTraining().train(epochs)) {
          expected.losses.push(loss)
          expected.accuracies.push(accuracy)
        }
      } finally {
        await setDevice('wasm')
      }
    }, patience)

    test.each(['wasm', 'webgpu'])(
      'training on %s goes as on the reference back end',
      async (device) => {
        const result = await visit(`device=${device}&epochs=${epochs}`)
        expect(result).toMatchObject({ state: 'done', device, errors: [], problem: '', curves: 2 })
        expect(result.losses).toHaveLength(epochs)
        expect(result.losses.at(-1)).toBeLessThan(result.losses[0]! / 2)
        // Sums are rounded differently, which is 1e-6 of a loss; a membrane at its threshold may spike on one device only, which is 1e-4 of it.
        result.losses.forEach((loss, i) => expect(Math.abs(loss / expected.losses[i]! - 1)).toBeLessThan(1e-3))
        result.accuracies.forEach((accuracy, i) =>
          expect(Math.abs(accuracy - expected.accuracies[i]!)).toBeLessThanOrEqual(2 / 512),
        )
      },
      patience,
    )
  })

  test(
    'an isolated page computes on several threads, and runs scripts on others, with the results of one thread',
    async () => {
      const library = await mkdtemp(join(folder, 'threads-'))
      await build({
        root,
        configFile: false,
        logLevel: 'silent',
        build: {
          outDir: library,
          lib: { entry: join(root, 'packages', 'fluxion', 'src', 'index.ts'), formats: ['es'], fileName: 'fluxion' },
          minify: true,
        },
      })
      await writeFile(join(library, 'empty.html'), '<!doctype html><title>empty</title>')
      await writeFile(join(library, 'compute.js'), computing)
      await writeFile(
        join(library, 'script.js'),
        "import { compute } from './compute.js'\npostMessage(await compute(3))\n",
      )
      const page = await browser.newPage()
      try {
        const base = `${server.resolvedUrls!.local[0]}${basename(library)}/`
        await page.goto(`${base}empty.html`)
        const results = await page.evaluate(`(async () => {
          const { compute } = await import('${base}compute.js')
          const { runInWorker } = await import('${base}fluxion.js')
          const one = await compute(1)
          const three = await compute(3)
          const inScript = await new Promise((message, error) => runInWorker('${base}script.js', { message, error }))
          return [self.crossOriginIsolated, one, three, inScript]
        })()`)
        const [isolated, one, three, inScript] = results as [boolean, Sums, Sums, Sums]
        expect(isolated).toBe(true)
        expect([one.workers, three.workers, inScript.workers]).toEqual([0, 2, 2])
        expect([three.sum, inScript.sum]).toEqual([one.sum, one.sum])
      } finally {
        await page.close()
      }
    },
    patience,
  )

  test(
    'the page stays responsive while it trains: a click stops it after the epoch that runs',
    async () => {
      const page = await browser.newPage()
      try {
        await page.goto(`${server.resolvedUrls!.local[0]}?device=wasm&epochs=500`)
        await page.getByRole('button', { name: 'Stop' }).click()
        await page.locator('main[data-state=done]').waitFor({ timeout: patience })
        expect(await page.getByRole('status').textContent()).toMatch(/^Stopped after \d+ epochs/)
      } finally {
        await page.close()
      }
    },
    patience,
  )

  test(
    'without WebGPU the page says what to do',
    async () => {
      const hide = "Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined })"
      const result = await visit('device=webgpu&epochs=1', (context) => context.addInitScript(hide))
      expect(result).toMatchObject({ state: 'failed', errors: [] })
      expect(result.problem).toMatch(/WebGPU.*WebAssembly trains the same network without it/s)
    },
    patience,
  )

  test(
    'a device that does not exist is named',
    async () => {
      const { problem } = await visit('device=abacus')
      expect(problem).toMatch(/'abacus'.*wasm and webgpu/)
    },
    patience,
  )
})
