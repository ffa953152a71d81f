/** The methods of arrays: the functions of `np` under their short names, installed on `NDArray.prototype`. */
export interface ArrayMethods {}
