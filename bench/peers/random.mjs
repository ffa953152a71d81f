// Random numbers for libraries that draw none alike.

/** A normal number between −2 and 2. */
export function truncatedNormal() {
  for (;;) {
    const z = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
    if (Math.abs(z) <= 2) return z
  }
}
