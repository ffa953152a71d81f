// Every rule of every primitive, in every dtype and with the batch axis in every place.
import { sweep } from '../sweep/rows.ts'

sweep(true)
