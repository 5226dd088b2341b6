/** Names similar to `name` first, the others in alphabetical order. */
export function nearestFirst(name: string, names: readonly string[]): string[] {
  const rankOf = (one: string) => Math.min(maxDistance(name), one.startsWith(name) ? 1 : editDistance(name, one))
  const ranks = [...new Set(names)].map((one) => ({ name: one, rank: rankOf(one) }))
  return ranks.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1)).map((one) => one.name)
}

/**
 * For the end of an error message: ` Did you mean "issues"?`, or nothing if no name is similar. Of a short name, at most
 * half of the characters may differ.
 */
export function suggestion(name: string, names: readonly string[]): string {
  const isPart = (one: string) => name.length >= 3 && one.startsWith(name)
  const distances = names.map((one) => ({ name: one, distance: isPart(one) ? 1 : editDistance(name, one) }))
  const [nearest] = distances.sort((a, b) => a.distance - b.distance)
  const limit = Math.min(maxDistance(name), Math.floor(name.length / 2) + 1)
  return nearest && nearest.distance < limit ? ` Did you mean "${nearest.name}"?` : ''
}

/** The name with the fewest changes from `name`, if these are at most `limit`: characters to insert, delete or replace. */
export function nearest(name: string, names: readonly string[], limit: number): string | undefined {
  const near = names
    .filter((one) => Math.abs(one.length - name.length) <= limit)
    .map((one) => ({ one, distance: editDistance(name, one) }))
  return near.filter(({ distance }) => distance <= limit).sort((a, b) => a.distance - b.distance)[0]?.one
}

const maxDistance = (name: string): number => Math.max(3, name.length / 3)

/** Levenshtein distance: characters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (char === b[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
