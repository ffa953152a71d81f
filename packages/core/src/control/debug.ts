/** The `debug` namespace. */
export { debugCallback as callback, debugPrint as print } from './callback.ts'
