/** The default export of a module, if it is a function. Code compiled from TypeScript may have it one level deeper. */
export function appFunctionOf(exports: unknown): ((...args: never[]) => unknown) | undefined {
  const { default: exported } = exports as { default?: unknown }
  const inner = (exported as { default?: unknown } | undefined)?.default
  const found = [exported, inner].find((value) => typeof value === 'function')
  return found as ((...args: never[]) => unknown) | undefined
}
