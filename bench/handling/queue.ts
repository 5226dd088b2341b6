/** The interface of hookserver, and of each rival, for the part `handling`. */
export interface Queue {
  /** Stores pushes. @param payloads As JSON. @returns when they are committed. */
  store(payloads: readonly string[]): Promise<void>
  /** Starts to handle pushes. */
  work(): Promise<void> | void
  /** The number of pushes whose result is not recorded yet. */
  unfinished(): Promise<number> | number
  close(): Promise<void>
}

export interface QueueOptions {
  /** The file, URL or socket of an empty database. */
  target: string
  /** The handler. It gets the parsed payload. */
  handle(payload: { mark: number }): void
  /** Whether the pushes of a repository are handled one at a time, in order. */
  ordered?: boolean
}
