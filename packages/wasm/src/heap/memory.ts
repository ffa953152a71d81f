/** Makes memories: shared between threads where that can be, with as much address space as the platform gives. */
import { canShare } from '../threads/platform.ts'

export const page = 65536
/** The address space of WebAssembly without 64-bit addresses. */
export const mostPages = 65536
/** A shared memory has its address space from the start; where there is less, half of it will do. */
const fewestPages = 4096

/** A memory that can grow to so many pages, or fewer if it is shared. */
export function makeMemory(
  maximum: number,
  shared: boolean,
): { readonly memory: WebAssembly.Memory; readonly pages: number } {
  for (
    let pages = maximum;
    shared && canShare() && pages >= Math.min(maximum, fewestPages);
    pages = Math.floor(pages / 2)
  ) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 1, maximum: pages, shared }), pages }
    } catch {
      // no room for as many addresses
    }
  }
  return { memory: new WebAssembly.Memory({ initial: 1, maximum }), pages: maximum }
}
