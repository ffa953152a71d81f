/** Fluxion's webgpu back end. */
export {}
