import { median } from './process.ts'

/**
 * Has several take turns, so that what else the machine does falls on all of them alike.
 * @returns what each of them found, round by round.
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

/** The median of the ratios round by round: neighbours in time saw the same machine. */
export const ratioOf = (some: readonly number[], others: readonly number[]): number =>
  median(some.map((value, round) => value / (others[round] as number)))
