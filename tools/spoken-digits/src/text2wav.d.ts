/** The part of the speech program's interface that is used here; so the types hold without the program installed. */
declare module 'text2wav' {
  interface SpeechOptions {
    readonly voice?: string
    readonly pitch?: number
    readonly speed?: number
    readonly noFinalPause?: boolean
  }
  const text2wav: (text: string, options?: SpeechOptions) => Promise<Uint8Array>
  export default text2wav
}
