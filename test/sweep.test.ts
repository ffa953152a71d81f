// Every rule of every primitive, on a fair sample of its cases' dtypes; test/full/sweep.test.ts runs all of them.
import { sweep } from './sweep/rows.ts'

sweep(false)
