/**
 * The seed of a campaign: the environment variable `SEED`, or else the default. Prints the seed, because it repeats the
 * random choices of a run that failed.
 */
export function seedOf(campaign: string, usual: number): number {
  const seed = Number(process.env.SEED ?? usual)
  if (!Number.isInteger(seed)) throw new Error(`SEED must be an integer, but it is "${process.env.SEED}"`)
  console.log(`${campaign}: SEED=${seed}`)
  return seed
}
