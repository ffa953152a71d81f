/** The voices and words of the data set. */

/** One speaker: a formant variant of the speech program with habits of its own. */
export interface Voice {
  /** Accents in which the voice speaks English and German words. */
  readonly accents: readonly [english: string, german: string]
  readonly variant: string
  readonly gender: 'female' | 'male'
  /** Pitch setting of the program (0 … 99) around which the voice varies. */
  readonly pitch: number
  /** Words a minute around which the voice varies. */
  readonly speed: number
  /** Vocal tract length relative to the variant's: formants move by its inverse. */
  readonly tract: number
}

const voice = (
  accent: string,
  variant: string,
  gender: Voice['gender'],
  pitch: number,
  speed: number,
  tract: number,
): Voice => ({ accents: [accent, 'de'], variant, gender, pitch, speed, tract })

/** Speakers 4 and 5 are heard only in the test set, as in the Heidelberg digits. */
export const unheard: readonly number[] = [4, 5]

/** The index in this list is `extra/speaker`. */
export const voices: readonly Voice[] = [
  voice('en', 'm1', 'male', 45, 170, 1),
  voice('en-us', 'm2', 'male', 40, 185, 1.02),
  voice('en', 'f1', 'female', 50, 175, 1),
  voice('en-us', 'f2', 'female', 55, 160, 0.99),
  voice('en-gb-x-rp', 'm3', 'male', 55, 165, 0.97),
  voice('en-us', 'f4', 'female', 45, 185, 1.04),
  voice('en-gb-scotland', 'm4', 'male', 35, 180, 1.05),
  voice('en', 'm5', 'male', 50, 190, 0.98),
  voice('en-us', 'm7', 'male', 55, 160, 1.03),
  voice('en-gb-x-rp', 'f3', 'female', 45, 180, 1.01),
  voice('en', 'f5', 'female', 40, 195, 0.97),
  voice('en-us', 'Annie', 'female', 45, 170, 1.03),
  voice('en-gb-x-gbclan', 'max', 'male', 60, 175, 1),
  voice('en', 'Andy', 'male', 45, 165, 0.96),
  voice('en-us', 'steph', 'female', 50, 190, 1.02),
  voice('en-029', 'Denis', 'male', 50, 175, 1.01),
  voice('en', 'klatt2', 'male', 45, 185, 1),
  voice('en-gb-scotland', 'linda', 'female', 40, 170, 0.98),
]

/** The index in this list is the label, as in the Heidelberg digits. */
export const words: readonly string[] =
  'zero one two three four five six seven eight nine null eins zwei drei vier fünf sechs sieben acht neun'.split(' ')
