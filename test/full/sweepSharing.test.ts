// Every primitive as WebAssembly on two threads against the reference back end, where all that can runs in tiles, and all that can be is shared.
import { sharing } from '../compiled/devices.ts'
import { sweepDevice } from '../sweep/device.ts'

sweepDevice('wasm', true, 1, () => sharing(2))
