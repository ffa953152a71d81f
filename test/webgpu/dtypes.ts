// What programs on a GPU compute with: all that random programs may have but float64.
import type { DType } from 'fluxion'

export const gpuDtypes: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'uint8', 'bool']
