/** Everything that `host` expressions name, for back ends that run JavaScript beside their own code. */
import { scalarFunctions } from '@fluxion/core'
import type { HostFunctions } from '../loops/interpret.ts'
import { bitFunctions } from './rows/hostFunctions.ts'

export const hostFunctions: HostFunctions = { ...scalarFunctions, ...bitFunctions }
