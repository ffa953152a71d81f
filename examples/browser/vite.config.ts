/** How the page is served and bundled: from the sources of the packages, without Node's modules. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  cacheDir: fileURLToPath(new URL('../../.cache/vite', import.meta.url)),
  build: { outDir: fileURLToPath(new URL('../../.cache/page', import.meta.url)), emptyOutDir: true, target: 'es2022' },
})
