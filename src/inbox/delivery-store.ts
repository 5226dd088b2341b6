import type { NewDelivery, StoreResult } from './records.ts'

/** Stores deliveries before they are acknowledged. A receiver needs no more. */
export interface DeliveryStore {
  /**
   * Commits a delivery, or recognizes it as a copy of a stored or pruned delivery. Resolves when the result is safe on
   * disk.
   * @throws the reason why the delivery could not be stored.
   */
  store(delivery: NewDelivery): Promise<StoreResult>
  /**
   * Tests whether deliveries can be stored: writes a delivery, rolls it back, and commits a small value. No query finds
   * the delivery.
   * @throws the reason why a delivery could not be stored.
   */
  checkWritable(): Promise<void>
}
