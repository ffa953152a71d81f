// What the type tests share: equality of types, and a network's parameters as users declare them.
import type { NDArray } from 'fluxion'

/** True where the compiler itself could not tell A from B. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Assert that two types are one: compiles only then. */
export declare const same: <A, B>(equal: Equal<A, B>) => void

/** An interface, with a list of records and a part that may be missing. */
export interface Mlp {
  layers: { w: NDArray; b: NDArray }[]
  scale: NDArray | null
}
export declare const mlp: Mlp
export declare const mlpLoss: (p: Mlp, x: NDArray) => NDArray
export declare const x: NDArray
export declare const y: NDArray
