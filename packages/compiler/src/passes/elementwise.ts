/** Which operations compute each element from the elements at the same place, with operands of rank 0 serving every place. */

export const elementwise: ReadonlySet<string> = new Set(
  (
    'add_any eq ne lt le gt ge is_finite not and or xor shift_left shift_right_logical shift_right_arithmetic ' +
    'population_count clz select_n clamp neg add sub mul div max min abs square sign floor ceil round integer_pow ' +
    'convert_element_type copy reduce_precision exp exp2 log expm1 log1p logistic sqrt rsqrt cbrt sin cos tan asin ' +
    'acos atan tanh sinh cosh asinh acosh atanh pow rem atan2 nextafter erf erfc erf_inv lgamma digamma polygamma ' +
    'zeta igamma igammac igamma_grad_a random_gamma_grad regularized_incomplete_beta bessel_i0e bessel_i1e'
  ).split(' '),
)
/** Operations that only place elements anew, so that equal elements stay equal. */
export const rearranging: ReadonlySet<string> = new Set([
  'broadcast_in_dim',
  'reshape',
  'transpose',
  'squeeze',
  'rev',
  'slice',
  'split',
])
