/** Prints kernels of the loop IR as WGSL. */
import type { Kernel } from '@fluxion/compiler'
import { printRegion } from '../regions/print.ts'
import { isRegion } from '../regions/region.ts'
import type { Layout } from './access.ts'
import { type Printed, printNest } from './nest.ts'
import { printProduct } from './product.ts'
import type { Traits } from './traits.ts'

/** A kernel's module under a layout of its parameters. */
export function printKernel(kernel: Kernel, layout: Layout, traits: Traits): Printed {
  if (isRegion(kernel) && traits.shared) return printRegion(kernel, layout, traits)
  return kernel.kind === 'nest' ? printNest(kernel, layout, traits) : printProduct(kernel, layout, traits)
}
