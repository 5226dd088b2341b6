/** A warning for each call that Probot 9 to 13 had and Probot 14 has not. */

const warned = new Set<string>()

/** Logs once in each process that `old` still works, and what to write instead. */
export function warnOnce(log: { warn(text: string): void }, old: string, modern: string): void {
  if (warned.has(old)) return
  warned.add(old)
  log.warn(`${old} is a call of an old version of Probot. It works, but write ${modern} instead`)
}
