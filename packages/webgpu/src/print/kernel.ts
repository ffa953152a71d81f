/** Prints kernels of the loop IR as WGSL. */
import type { Kernel } from '@fluxion/compiler'
import type { Layout } from './access.ts'
import { type Printed, printNest } from './nest.ts'
import { printProduct } from './product.ts'
import type { Traits } from './traits.ts'

/** A kernel's module under a layout of its parameters. */
export const printKernel = (kernel: Kernel, layout: Layout, traits: Traits): Printed =>
  kernel.kind === 'nest' ? printNest(kernel, layout, traits) : printProduct(kernel, layout, traits)
