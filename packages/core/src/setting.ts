/** Settings from the environment: variables of the process, where there is one. */

/** The value of a variable; nothing if it is not set or empty, or if there is no process, as in a page. */
export function setting(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  const value = process?.env?.[name]
  return value === '' ? undefined : value
}
