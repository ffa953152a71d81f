/** How the page is served and bundled: from the sources of the packages, without Node's modules, isolated so that threads can share memory. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** With these a page is cross-origin isolated: whoever serves it elsewhere has to send them too, or it trains on one thread. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export default defineConfig({
  server: { headers },
  preview: { headers },
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  cacheDir: fileURLToPath(new URL('../../.cache/vite', import.meta.url)),
  build: { outDir: fileURLToPath(new URL('../../.cache/page', import.meta.url)), emptyOutDir: true, target: 'es2022' },
})
