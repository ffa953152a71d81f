/** Policies by name, and what they convert. */
import { OptionError, np } from '@fluxion/core'
import { expect, test } from 'vitest'
import { castToCompute, castToOutput, castToParam, policy } from './index.ts'

const parts = (name: string) => {
  const { paramDtype, computeDtype, outputDtype } = policy(name)
  return [paramDtype, computeDtype, outputDtype]
}
test.each([
  ['half', ['float16', 'float16', 'float16']],
  ['f16', ['float16', 'float16', 'float16']],
  ['bfloat16', ['bfloat16', 'bfloat16', 'bfloat16']],
  ['bf16', ['bfloat16', 'bfloat16', 'bfloat16']],
  ['full', ['float32', 'float32', 'float32']],
  ['float64', ['float64', 'float64', 'float64']],
  ['params=float32,compute=half', ['float32', 'float16', 'float16']],
  ['params=float32,compute=float16,output=float32', ['float32', 'float16', 'float32']],
  ['p=f16,c=f32,o=bf16', ['float16', 'float32', 'bfloat16']],
  ['o=half', ['float32', 'float32', 'float16']],
  ['p=half', ['float16', 'float16', 'float16']],
  ['c=half', ['float32', 'float16', 'float16']],
])('%s is a policy of parameters, computation and results in %o', (name, expected) => {
  expect(parts(name)).toEqual(expected)
})
test.each([
  '',
  'int8',
  'Half',
  'toString',
  'p=int8',
  'weights=half',
  'p',
  'p=f32,half',
  'p=f32=f16',
  'p=f32,',
  'toString=half',
])("'%s' is no policy", (name) => {
  expect(() => policy(name)).toThrow(OptionError)
})
test('an error lists what there is', () => {
  expect(() => policy('single')).toThrow(
    "policy: expected a dtype among half, f16, float16, bf16, bfloat16, full, f32, float32, f64, float64, got 'single'",
  )
  expect(() => policy('w=half')).toThrow("expected keys among params, compute, output, got 'w' in 'w=half'")
})

test('casts convert the floating arrays of a tree and leave everything else', () => {
  const mixed = policy('p=f32,c=half,o=bf16')
  const f = (): number => 1
  const given = {
    x: np.ones([2]),
    i: np.ones([2], { dtype: 'uint8' }),
    list: [np.ones([], { dtype: 'float16' }), null, 3, 'name', f] as const,
  }
  const cast = (to: typeof castToParam) => {
    const { x, i, list } = to(mixed, given)
    expect(list.slice(1)).toEqual([null, 3, 'name', f])
    return [x.dtype, i.dtype, list[0].dtype]
  }
  expect(cast(castToParam)).toEqual(['float32', 'uint8', 'float32'])
  expect(cast(castToCompute)).toEqual(['float16', 'uint8', 'float16'])
  expect(cast(castToOutput)).toEqual(['bfloat16', 'uint8', 'bfloat16'])
})
