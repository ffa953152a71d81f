/** Types of trees and of transformed functions. Where inference needed a trick, the comment says which. */
import type { ArrayLike, NDArray } from './array.ts'
import type { DType } from './dtype.ts'
import type { Shape } from './shape.ts'

/** Stands where `object` would, so that interfaces pass (they have no index signature), but promises and functions do not. */
export interface Plain {
  readonly then?: never
  readonly call?: never
  valueOf(): unknown
}
/**
 * The bound of a type parameter that is inferred from a literal. The empty tuple in it makes nested array literals infer as tuples at
 * any depth: `[p, s]` is `[P, S]`, not `(P | S)[]`. (`const` type parameters would do so too, but add `readonly` and literal types.)
 */
export type Tree =
  | NDArray
  | string
  | null
  | undefined
  | readonly []
  | readonly Tree[]
  | { readonly [k: string]: Tree }
  | Plain
/** The same for what may hold bare numbers: initial carries, operands. */
export type TreeLike =
  | ArrayLike
  | string
  | null
  | undefined
  | readonly []
  | readonly TreeLike[]
  | { readonly [k: string]: TreeLike }
  | Plain

/** A tree as a traced function sees it: numbers have become arrays. The first branch stops the recursion of the uninferred bound. */
export type Lift<T> = [TreeLike] extends [T]
  ? T
  : T extends ArrayLike
    ? NDArray
    : T extends object
      ? { [K in keyof T]: Lift<T[K]> }
      : T
export type LiftAll<A extends readonly unknown[]> = { [K in keyof A]: Lift<A[K]> }
/** The same tree with other leaves: types of `evalShape`, results of `tree.map` that are no arrays. Nothing is known of any tree's. */
export type MapLeaves<T, U> = [Tree] extends [T]
  ? unknown
  : T extends ArrayLike
    ? U
    : T extends object
      ? { [K in keyof T]: MapLeaves<T[K], U> }
      : T

/** Arguments with bare numbers allowed for arrays. `A[K] |` comes first, so that an argument of generic type still passes. */
export type Loose<A extends readonly unknown[]> = {
  [K in keyof A]: A[K] | (A[K] extends NDArray ? number | boolean : never)
}
/** Inference reads the last signature, so `grad(grad(f))` and `vmap(np.tanh)` see arrays, while calls may pass numbers. */
export interface Fn<A extends readonly unknown[], R> {
  (...args: Loose<A>): R
  (...args: A): R
}

/** An elementwise function of one array, whose last signature is for inference, as in `Fn`. */
export interface Unary {
  (x: ArrayLike): NDArray
  (x: NDArray): NDArray
}
/** The same of two. */
export interface Binary {
  (x: ArrayLike, y: ArrayLike): NDArray
  (x: NDArray, y: NDArray): NDArray
}
/** The same of three. */
export interface Ternary {
  (x: ArrayLike, y: ArrayLike, z: ArrayLike): NDArray
  (x: NDArray, y: NDArray, z: NDArray): NDArray
}

export interface ShapeDtype {
  readonly shape: Shape
  readonly dtype: DType
  readonly weakType: boolean
}
