import type { Program } from '@fluxion/compiler'
export const spread = (program: Program): Program => program
