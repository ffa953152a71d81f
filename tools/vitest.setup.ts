/** Before each test file: what files share in one process is put back, and property tests draw from one seed. */
import { env } from 'node:process'
import { clearPolicies } from '@fluxion/precision'
import fc from 'fast-check'
import { type DeviceName, backend, setDevice } from 'fluxion'
import { beforeAll, expect } from 'vitest'
import { useSwiftShader } from './swiftshader/swiftshader.ts'

// Tests that need WebGPU find a device on every machine.
await useSwiftShader()

// `npm test` checks the same cases every time; the full run draws new ones, and fast-check prints the seed of a failure.
if (env['FLUXION_FULL'] !== '1') fc.configureGlobal({ seed: 20231021 })

// Examples set policies on factories, as users do, for good.
beforeAll(clearPolicies)

// The core's own tests hold its reference to JAX's bits and to its own; everything else runs on the default device, or the one that is asked for.
beforeAll(async () => {
  // oxlint-disable-next-line vitest/no-standalone-expect -- it says which file is run
  const inCore = expect.getState().testPath?.includes('/packages/core/') === true
  const device = (env['FLUXION_DEVICE'] ?? (inCore ? 'reference' : 'wasm')) as DeviceName
  if (backend().name !== device) await setDevice(device)
})
