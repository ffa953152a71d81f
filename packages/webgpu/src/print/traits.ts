/** What a device is good at, where kernels are printed in more than one way. */
export interface Traits {
  /**
   * Whether invocations of a workgroup work together through its memory. Drivers for CPUs run them one after the other and take seconds to compile
   * what waits for them, so that there each works alone.
   */
  readonly shared: boolean
  /** Whether values go from one invocation to another of its subgroup, which are neighbours in order. Used where `shared` is. */
  readonly subgroups: boolean
  /** Whether there are float16 values, in workgroup memory too. Used where `shared` is. */
  readonly half: boolean
  /** Bytes of memory that a workgroup has, and how many invocations it can have. */
  readonly workgroup: { readonly bytes: number; readonly invocations: number }
}
