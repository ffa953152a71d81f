// Every primitive as WebAssembly against the reference back end, each case in one dtype; test/full has all of them.
import { sweepDevice } from './sweep/device.ts'

sweepDevice('wasm', false)
