/** Makes the data set: speaks every word in every voice, encodes the sound as spikes and writes two files in the layout of SHD. */
import { mkdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { encodeAudio, recordingsFrom, uniformGenerator, writeRecordings } from '@fluxion/data'
import { between, scene } from './scene.ts'
import type { Conditions } from './scene.ts'
import { speak } from './speech.ts'
import { unheard, voices, words } from './voices.ts'

const sampleRate = 48000

/** Ranges of everything that varies from one recording to the next. */
const variation = {
  pitch: [-12, 12],
  speed: [0.85, 1.2],
  tract: [0.95, 1.06],
  loudness: [0.1, 0.25], // root mean square on the model's own scale
} as const

const conditions: Conditions = {
  snr: [9, 21],
  noiseSlope: [-6, 0],
  tilt: [-4, 4],
  ripple: 4,
  lead: [0.02, 0.1],
  tail: [0.02, 0.05],
}

/** Renditions of each word: by heard voices in training, by heard and by unheard ones in the test. */
const trainRenditions = 4
const unheardRenditions = 6

interface Plan {
  readonly speaker: number
  readonly label: number
  readonly rendition: number
}

const plan = (): { readonly train: Plan[]; readonly test: Plan[] } => {
  const train: Plan[] = []
  const test: Plan[] = []
  for (const speaker of voices.keys()) {
    for (const label of words.keys()) {
      const times = unheard.includes(speaker) ? unheardRenditions : trainRenditions
      const list = unheard.includes(speaker) ? test : train
      for (let rendition = 0; rendition < times; rendition += 1) list.push({ speaker, label, rendition })
      // Heard voices say every other word once more for the test, so that their test recordings are new too.
      if (!unheard.includes(speaker) && (speaker + label) % 2 === 0)
        test.push({ speaker, label, rendition: trainRenditions })
    }
  }
  return { train, test }
}

const record = async (seed: number, { speaker, label, rendition }: Plan) => {
  const uniform = uniformGenerator(seed, speaker, label, rendition)
  const voice = voices[speaker]!
  const word = await speak(
    {
      voice,
      label,
      pitch: Math.max(0, Math.min(99, Math.round(voice.pitch + between(uniform, variation.pitch)))),
      speed: Math.round(voice.speed * between(uniform, variation.speed)),
      tract: voice.tract * between(uniform, variation.tract),
    },
    sampleRate,
  )
  const sound = scene(word, sampleRate, conditions, uniform)
  const rms = between(uniform, variation.loudness)
  const spikes = encodeAudio(sound, { sampleRate, rms, seed: Math.floor(uniform() * 2 ** 32) })
  return { ...quantised(spikes), label, speaker }
}

/** Move times to the middle of their tick of 1/1024 s (exact in half precision within the first second), sorted by tick, then unit. */
const quantised = ({ times, units }: { times: Float64Array; units: Uint16Array }) => {
  const events = Float64Array.from(times, (time, i) => Math.floor(time * 1024) * 1024 + units[i]!).sort()
  return {
    times: events.map((event) => (Math.floor(event / 1024) + 0.5) / 1024),
    units: Uint16Array.from(events, (event) => event % 1024),
  }
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    out: {
      type: 'string',
      default: new URL('../../../packages/data/datasets/spoken-digits', import.meta.url).pathname,
    },
  },
})
await mkdir(values.out, { recursive: true })
const metaInfo = {
  gender: voices.map(({ gender }) => gender),
  voice: voices.map(({ accents, variant }) => `${accents.join('/')}+${variant}`),
}
for (const [split, plans] of Object.entries(plan())) {
  const list: Awaited<ReturnType<typeof record>>[] = []
  for (const each of plans) {
    list.push(await record(Number(values.seed), each))
    if (list.length % 100 === 0 || list.length === plans.length)
      console.log(`${split}: ${list.length} of ${plans.length}`)
  }
  await writeRecordings(`${values.out}/shd_${split}.h5.gz`, recordingsFrom(list, words), { metaInfo })
}
