/** Which processes use an inbox: each says so again and again, and one that is silent is taken to be gone. */

/** Milliseconds between two times that a process says it is there, and after which one that is silent is left out. */
export const presenceInterval = 10_000
export const longestSilence = 60_000

/** What a process says of itself. The store adds what it knows. */
export interface Presence {
  /** Of this use of the inbox: the number of a process soon belongs to another. */
  id: string
  /** What it does with deliveries: receives them, handles them, or both. */
  role: 'all' | 'receiver' | 'worker'
  /** Of hookserver. */
  version: string
  /** In milliseconds since 1970, as it is in `seenAt`. */
  startedAt: number
}

/** What the others see of it. */
export interface SeenPresence extends Presence {
  host: string
  pid: number
  /** When it said so last, by the store's clock. */
  seenAt: number
}
