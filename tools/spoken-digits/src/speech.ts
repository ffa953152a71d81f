/** Speaking a word with the speech program, as samples at a rate of the caller's. */
import { decodeWav, resample, toMono } from '@fluxion/data'
import text2wav from 'text2wav'
import { words } from './voices.ts'
import type { Voice } from './voices.ts'

/** How one rendition of a word differs from the next. */
export interface Rendition {
  readonly voice: Voice
  readonly label: number
  readonly pitch: number
  readonly speed: number
  /** Vocal tract length of this rendition; above 1 everything sounds lower and slower. */
  readonly tract: number
}

/** Events on which the program hangs a listener each time it runs: kept, each would hold a whole copy of the program in memory. */
const hooks = ['uncaughtException', 'unhandledRejection'] as const

/** Run the program without what it leaves behind: warnings of how it loads itself, and listeners on the process. */
const tidily = async <T>(action: () => Promise<T>): Promise<T> => {
  const { warn } = console
  const before = hooks.map((hook) => new Set<unknown>(process.listeners(hook as 'exit')))
  console.warn = () => undefined
  try {
    return await action()
  } finally {
    console.warn = warn
    hooks.forEach((hook, i) => {
      for (const listener of process.listeners(hook as 'exit')) {
        if (!before[i]!.has(listener)) process.removeListener(hook, listener)
      }
    })
  }
}

/** The stretch of a recording whose level rises above a thousandth of its peak's power. */
const trimmed = (samples: Float64Array): Float64Array => {
  const limit = samples.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0) * Math.sqrt(1e-3)
  const loud = (x: number): boolean => Math.abs(x) > limit
  return samples.slice(samples.findIndex(loud), samples.findLastIndex(loud) + 1)
}

/** Speak a word: f64[samples] at the given rate, silence at the ends removed. */
export const speak = async (rendition: Rendition, sampleRate: number): Promise<Float64Array> => {
  const { voice, label, pitch, speed, tract } = rendition
  const accent = voice.accents[label < 10 ? 0 : 1]
  const options = { voice: `${accent}+${voice.variant}`, pitch, speed, noFinalPause: true }
  const recording = decodeWav(await tidily(() => text2wav(words[label]!, options)), `speech of "${words[label]}"`)
  // Played at a slightly lower rate, a voice has a longer vocal tract; 100 Hz steps keep the filter's phases few.
  const played = Math.round(recording.sampleRate / tract / 100) * 100
  return trimmed(resample(toMono(recording), played, sampleRate))
}
