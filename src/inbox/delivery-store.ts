/** A verified delivery to store, as bytes. */
export interface NewDelivery {
  /**
   * The name of the mount that received it. Source, hook id, GUID and secret id are the identity of a delivery: GitHub
   * sends one GUID to every hook that an event concerns.
   */
  source: string
  /** `X-GitHub-Hook-ID`, or empty. */
  hookId: string
  guid: string
  event: string
  /** Without secrets: signatures, cookies and authorization. */
  headers: Readonly<Record<string, string | undefined>>
  body: Uint8Array
  form: 'json' | 'form'
  /** The client's address, if known. */
  address: string | undefined
  receivedAt: number
  secretId: string | undefined
  secretIndex: number | undefined
  /** The algorithm of the signature; `undefined` if none was checked. */
  algorithm: string | undefined
  /** Fetched from GitHub's API: compared by its identity alone, since its bytes are not those that GitHub sent. */
  recovered?: boolean | undefined
  /** Id of the delivery that an operator edited to make this one. */
  editedFrom?: number | undefined
  /** `traceparent` (W3C Trace Context) of the span that received it. */
  trace?: string | undefined
}

export interface StoreResult {
  id: number
  /** `rearmed`: a copy of a delivery that had ended without success, which is handled again. */
  outcome: 'stored' | 'duplicate' | 'rearmed'
  /** A delivery with the same identity and other bytes is already stored. */
  conflict: boolean
}

/** Stores deliveries before they are acknowledged. */
export interface DeliveryStore {
  /**
   * Commits a delivery, or recognizes it as a copy of a stored one. Resolves when it is safe on disk.
   * @throws the reason why it could not be stored.
   */
  store(delivery: NewDelivery): Promise<StoreResult>
  /**
   * Tests whether deliveries can be stored: writes one, rolls it back, and commits a small row. No other method returns
   * either of them.
   * @throws the reason why a delivery could not be stored.
   */
  checkWritable(): Promise<void>
}
