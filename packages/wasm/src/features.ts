/** What the WebAssembly engine can do, found by validating tiny modules. */
import { ModuleBuilder } from './assembler/module.ts'

function validates(write: (module: ModuleBuilder) => void): boolean {
  const module = new ModuleBuilder()
  write(module)
  return WebAssembly.validate(module.encode())
}
let known: { readonly simd: boolean; readonly relaxed: boolean } | undefined

/** Fixed-width SIMD, without which there is no back end, and relaxed SIMD, with its fused multiplication and addition. */
export function features(): { readonly simd: boolean; readonly relaxed: boolean } {
  known ??= {
    simd: validates((module) => module.function('f', [], ['v128']).i32(0).op('i32x4.splat')),
    relaxed: validates((module) => {
      const f = module.function('f', ['v128'], ['v128'])
      f.get(f.param(0)).get(f.param(0)).get(f.param(0)).op('f32x4.relaxed_madd')
    }),
  }
  return known
}
