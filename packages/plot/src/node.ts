// All of `@fluxion/plot` and what only Node can do: PNG pictures and files. A page imports `@fluxion/plot`.
export * from './index.ts'
export { type PngOptions, savefig, toPng } from './write.ts'
