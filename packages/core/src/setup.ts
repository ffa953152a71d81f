/** Sets the back end that the core brings along. */
import { reference } from './backend/reference/backend.ts'
import { setBackend } from './trace.ts'

setBackend(reference)
