// Progress bars.
export { type ProgressBar, progressBar, type ProgressBarOptions, type ProgressStream } from './bar.ts'
export { type ScanProgressOptions, scanProgress } from './scan.ts'
