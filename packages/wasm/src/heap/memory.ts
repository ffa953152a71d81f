/** Makes memories: shared between threads where that can be, with as much address space as the platform gives. */
import { canShare } from '../threads/platform.ts'

export const page = 65536
/** The address space of WebAssembly without 64-bit addresses. */
export const mostPages = 65536
/** A shared memory has its address space from the start; where there is less, half of it will do. */
const fewestPages = 4096

/** @param shared whether to share it if that can be */
export function makeMemory(maximum: number, shared: boolean): WebAssembly.Memory {
  for (
    let pages = maximum;
    shared && canShare() && pages >= Math.min(maximum, fewestPages);
    pages = Math.floor(pages / 2)
  ) {
    try {
      return new WebAssembly.Memory({ initial: 1, maximum: pages, shared })
    } catch {
      // no room for as many addresses
    }
  }
  return new WebAssembly.Memory({ initial: 1, maximum })
}
