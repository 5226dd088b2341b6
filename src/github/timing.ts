/** How long is waited for what, in milliseconds; a test waits for less. */
export interface Timing {
  /** The sweep of a process that died is another's after that. */
  lease: number
  /** A sweep that was kept for so long before asks whether it is still its own. */
  renewal: number
  /** An answer of GitHub that takes longer has failed. */
  answer: number
  /** A rate limit is waited for, at most: whoever has to wait for longer comes again with the next sweep. */
  patience: number
  /** Before each time that something is tried again which failed. */
  retries: readonly number[]
}

export const usualTiming: Timing = {
  lease: 120_000,
  renewal: 20_000,
  answer: 20_000,
  patience: 15 * 60_000,
  retries: [1000, 4000, 10_000],
}
