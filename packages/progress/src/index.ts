// Progress bars.
export { type ProgressBar, progressBar, type ProgressBarOptions, type ProgressStream } from './bar.ts'
