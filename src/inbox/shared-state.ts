/** State that the processes of an inbox share, and that outlives them. */

/** Short texts by key. */
export interface KeyValues {
  /** Sets the text of a key. */
  setValue(key: string, text: string): Promise<void>
  /** `undefined` if the key has no value. */
  getValue(key: string): Promise<string | undefined>
  /**
   * Sets the text of a key if its current text is `expected` (`undefined`: the key does not exist). If two processes
   * change a key at the same time, neither overwrites the other's change.
   * @returns whether the text was set.
   */
  compareAndSet(key: string, expected: string | undefined, text: string): Promise<boolean>
}

/** Leases for work that only one process may do at a time. They are unrelated to the leases of tasks. */
export interface NamedLeases {
  /**
   * Acquires or renews a lease. The store's own clock decides when it expires.
   * @param ms Milliseconds until the lease expires. 0 releases the lease.
   * @returns whether the holder has the lease.
   */
  lease(name: string, holder: string, ms: number): Promise<boolean>
}
