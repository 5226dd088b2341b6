export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** @param share For example 0.99 for the 99th percentile. */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)] as number
}

/**
 * The median of the ratios by round. Both measurements of a ratio are from the same round, in which the load of the
 * machine changes little.
 */
export const ratioOf = (some: readonly number[], others: readonly number[]): number =>
  median(some.map((value, round) => value / (others[round] as number)))

/**
 * Runs measurements in alternating rounds, so that other load on the machine affects all of them equally.
 * @returns the results of each, by round.
 */
export async function inTurns<Name extends string>(
  rounds: number,
  work: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(work) as Name[]
  const found = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of names) found[name].push(await work[name]())
  }
  return found
}
