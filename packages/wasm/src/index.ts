/** Fluxion's wasm back end. */
export {}
