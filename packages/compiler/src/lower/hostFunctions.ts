/** Functions that `host` expressions name, beside those of JavaScript's `Math`: for back ends that run JavaScript beside their own code. */
import { scalarFunctions } from '@fluxion/core'
import type { HostFunctions } from '../loops/interpret.ts'

const double = new DataView(new ArrayBuffer(8))

export const hostFunctions: HostFunctions = {
  ...scalarFunctions,
  rem: (x, y) => x % y,
  /** The 32 bits of a float64 that hold its sign and exponent. */
  highWord(x) {
    double.setFloat64(0, x)
    return double.getUint32(0)
  },
  lowWord(x) {
    double.setFloat64(0, x)
    return double.getUint32(4)
  },
  fromWords(high, low) {
    double.setUint32(0, high)
    double.setUint32(4, low)
    return double.getFloat64(0)
  },
}
