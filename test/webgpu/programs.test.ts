// Random programs as WGSL give what the reference back end gives.
import { test } from 'vitest'
import { gpuDtypes } from './dtypes.ts'
import { checkPrograms } from '../compiled/programs.ts'

const timeout = 300_000
test('exact programs give the same bits as WGSL and on the reference back end', { timeout }, () =>
  checkPrograms('webgpu', { numRuns: 20, options: { exact: true, dtypes: gpuDtypes } }),
)
test('other programs give the same on both but for rounding', { timeout }, () =>
  checkPrograms('webgpu', { numRuns: 10, options: { dtypes: gpuDtypes } }),
)
