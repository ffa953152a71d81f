// The order of the layers: which package, and inside core which folder, may import which. To change the architecture's order, edit these tables.

/** The folders of `packages/`, from the bottom up: each may import only from those above it in this list. */
export const packageOrder: readonly string[] = [
  'core',
  'compiler',
  'wasm',
  'webgpu',
  'modules',
  'precision',
  'optim',
  'surrogates',
  'neurons',
  'losses',
  'data',
  'progress',
  'plot',
  'testing',
  'fluxion',
]

const publicApi = ['numpy', 'lax', 'random', 'nn'] as const

/** Inside `packages/core/src`: a folder (or a file, without its ending) and what its sources, tests aside, may not load (types may point either way). */
export const coreForbids: Readonly<Record<string, readonly string[]>> = {
  ir: ['primitive', 'transform', ...publicApi],
  primitive: publicApi,
  transform: publicApi,
}
