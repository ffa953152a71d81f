/**
 * The page: chooses a device, trains on it, and shows how it goes. `?device=wasm&epochs=8` starts at once; the numbers stand in the data
 * attributes of `<main>`.
 */
import { type DeviceInfo, devices, ready, setDevice } from 'fluxion'
import { sampleFigure, trainingFigures } from './figures.ts'
import { type Epoch, makeTraining, sizes } from './training.ts'

const find = <T extends Element = HTMLElement>(selector: string): T => document.querySelector<T>(selector)!
const main = find('main')
const form = find<HTMLFormElement>('form')
const [start, stop] = [find<HTMLButtonElement>('[type=submit]'), find<HTMLButtonElement>('#stop')]
const [status, problem, numbers, progress] = [
  find('#status'),
  find('#problem'),
  find('#numbers'),
  find<HTMLProgressElement>('#progress'),
]

const make = (name: string, ...children: (string | Node)[]): HTMLElement => {
  const element = document.createElement(name)
  element.append(...children)
  return element
}
const titles: Readonly<Record<string, string>> = { wasm: 'WebAssembly', webgpu: 'WebGPU' }
const remedies: Readonly<Record<string, string>> = {
  wasm: 'This network needs a browser with WebAssembly SIMD: Chrome or Edge 91, Firefox 89, Safari 16.4, or later.',
  webgpu:
    'WebGPU needs a recent Chrome, Edge, Firefox or Safari, and a page from https or from this machine. In Chrome on Linux it may have to be allowed: ' +
    'chrome://flags/#enable-unsafe-webgpu. WebAssembly trains the same network without it.',
}

/** What a device says of itself beyond its title, with those of its features that the compiler uses. */
const aboutOf = ({ name, description, features }: DeviceInfo): string => {
  const used = features.filter((feature) =>
    ['simd', 'relaxed-simd', 'threads', 'shader-f16', 'subgroups'].includes(feature),
  )
  return [description, ...used].filter((words) => words !== titles[name]).join(', ')
}
/** A radio button for each device; one that cannot be used says why. */
function showDevices(found: readonly DeviceInfo[], wanted: string | null): void {
  const chosen =
    found.find(({ name, available }) => available && name === wanted) ?? found.find(({ available }) => available)
  find('#devices').replaceChildren(
    ...found.map((device) => {
      const input = Object.assign(document.createElement('input'), {
        type: 'radio',
        name: 'device',
        value: device.name,
        disabled: !device.available,
        checked: device === chosen,
      })
      const about = device.available ? aboutOf(device) : `not here. ${remedies[device.name]}`
      return make('label', input, make('span', titles[device.name]!, ' ', make('small', about)))
    }),
  )
}
function fail(message: string, device: string): void {
  main.dataset['state'] = 'failed'
  problem.textContent = [message, remedies[device] ?? ''].join('\n')
  problem.hidden = false
  status.textContent = 'It did not work.'
}
const show = (rows: readonly (readonly [string, string])[]): void =>
  numbers.replaceChildren(...rows.map(([name, value]) => make('div', make('dt', name), make('dd', value))))
/** A time of some milliseconds, in three digits. */
const timeOf = (x: number): string => (x < 999.5 ? `${x.toPrecision(3)} ms` : `${(x / 1000).toPrecision(3)} s`)
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** Show what is known after an epoch. */
function report(device: string, done: readonly Epoch[], all: number): void {
  const last = done.at(-1)!
  progress.value = done.length / all
  find('#curves').replaceChildren(...trainingFigures(done, all, sizes.classes))
  find('#epochs').append(
    make(
      'tr',
      ...[
        `${last.number}`,
        last.loss.toFixed(4),
        `${(100 * last.accuracy).toFixed(1)} %`,
        last.milliseconds.toFixed(2),
      ].map((text) => make('td', text)),
    ),
  )
  const later = done.slice(1).map(({ milliseconds }) => milliseconds)
  show([
    ['Device', titles[device]!],
    ['Epoch', `${last.number} of ${all}`],
    ['Training loss', last.loss.toFixed(3)],
    ['Accuracy', `${(100 * last.accuracy).toFixed(1)} %`],
    ['A step, median', later.length === 0 ? '…' : timeOf(median(later))],
    ['First epoch, compiling', timeOf(done[0]!.milliseconds * sizes.batches)],
  ])
  const series = { losses: done.map(({ loss }) => loss), accuracies: done.map(({ accuracy }) => accuracy) }
  for (const [name, values] of Object.entries(series)) main.dataset[name] = JSON.stringify(values)
}

let stopped = false
/** Let the page draw and hear clicks: on WebAssembly an epoch is one call that returns when it is done. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

async function train(device: DeviceInfo, epochs: number): Promise<void> {
  start.disabled = true
  stop.disabled = stopped = false
  problem.hidden = true
  find('#epochs').replaceChildren()
  Object.assign(main.dataset, { state: 'running', device: device.name, losses: '[]', accuracies: '[]' })
  progress.value = 0
  status.textContent = `Compiling for ${titles[device.name]} …`
  await breathe()
  try {
    await setDevice(device.name)
    // Workers start while the page waits for them.
    if (device.name === 'wasm') await ready()
    const training = makeTraining()
    const done: Epoch[] = []
    for await (const epoch of training.train(epochs)) {
      done.push(epoch)
      if (done.length === 1)
        status.textContent = `Training ${training.parameters} parameters on ${titles[device.name]} …`
      report(device.name, done, epochs)
      await breathe()
      if (stopped) break
    }
    const accuracy = (100 * done.at(-1)!.accuracy).toFixed(1)
    status.textContent = `${stopped ? 'Stopped' : 'Done'} after ${done.length} epochs: ${accuracy} % of unseen samples are told right.`
    main.dataset['state'] = 'done'
  } catch (error) {
    fail((error as Error).message, device.name)
  } finally {
    start.disabled = false
    stop.disabled = true
  }
}

/** Show the task and the devices; then train at once if the query names a device. */
async function begin(): Promise<void> {
  find('#task').textContent =
    `Each of ${sizes.classes} patterns has the same spikes in ${sizes.channels} channels, in another order; spikes come early or late, get lost, or come from nowhere. ` +
    `A recurrent spiking network with ${sizes.hidden} neurons learns to tell the patterns apart by their timing alone: by gradient descent through time, compiled in your browser.`
  const examples = await makeTraining().examples.data()
  const each = sizes.steps * sizes.channels
  find('#patterns').replaceChildren(
    ...Array.from({ length: sizes.classes }, (_, i) => {
      const spikes = Array.from(examples.slice(i * each, (i + 1) * each))
      return sampleFigure(spikes, sizes.steps, sizes.channels, `Pattern ${i + 1}`)
    }),
  )
  const query = new URLSearchParams(location.search)
  const wanted = query.get('device')
  // The reference back end, which is slow, is there too; it is for tests.
  const found = (await devices()).filter(({ name }) => name !== 'reference')
  showDevices(found, wanted)
  const epochs = find<HTMLInputElement>('[name=epochs]')
  epochs.value = query.get('epochs') ?? '40'
  stop.addEventListener('click', () => (stopped = true))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const device = found.find(({ name }) => name === new FormData(form).get('device'))
    if (device !== undefined) void train(device, epochs.valueAsNumber)
  })
  start.disabled = false
  status.textContent = 'Ready.'
  if (wanted === null) return
  const device = found.find(({ name }) => name === wanted)
  const names = found.map(({ name }) => name).join(' and ')
  if (device === undefined) fail(`There is no device '${wanted}' here, only ${names}.`, wanted)
  else if (!device.available) fail(device.why ?? `The device '${wanted}' cannot be used here.`, wanted)
  else form.requestSubmit()
}
await begin().catch((error: Error) => fail(error.message, 'wasm'))
