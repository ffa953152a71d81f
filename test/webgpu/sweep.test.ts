// Every primitive as WGSL against the reference back end: some cases of each in one dtype; test/full/sweepWebgpu.test.ts has all of them.
import { sweepDevice } from '../sweep/device.ts'

sweepDevice('webgpu', false, 5)
