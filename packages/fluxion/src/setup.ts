/** Makes the devices known that come with the umbrella. */
import { provideDevice } from '@fluxion/core'
import { wasmDevice } from '@fluxion/wasm'

provideDevice(wasmDevice)
