// Every primitive as WGSL against the reference back end, each case in every dtype.
import { sweepDevice } from '../sweep/device.ts'

sweepDevice('webgpu', true)
