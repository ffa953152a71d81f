/** The `profiler` namespace. */
export { type Trace, type TraceEvent, startTrace, stopTrace, trace } from './trace.ts'
