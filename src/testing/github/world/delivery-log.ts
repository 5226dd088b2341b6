import type { LocalDelivery } from './delivery.ts'

export interface Page {
  /** The first delivery that is wanted; others are newer. */
  from: number | undefined
  size: number
  /** Nothing that was delivered before, in milliseconds since 1970. */
  since: number
  wanted(delivery: LocalDelivery): boolean
}

/** The deliveries of one hook, in order of time. */
export class DeliveryLog {
  readonly #deliveries: LocalDelivery[] = []

  /** All that there were, the oldest first, forgotten ones too. */
  get all(): readonly LocalDelivery[] {
    return this.#deliveries
  }

  /** Puts it where it belongs, which is near the end but for those of the past. */
  add(delivery: LocalDelivery): void {
    const before = this.#deliveries.findLastIndex(
      ({ deliveredAt, id }) =>
        deliveredAt < delivery.deliveredAt || (deliveredAt === delivery.deliveredAt && id < delivery.id),
    )
    this.#deliveries.splice(before + 1, 0, delivery)
  }

  /** The newest first, and the id with which the next page begins, if there is one. */
  page({ from, size, since, wanted }: Page): { deliveries: LocalDelivery[]; next: number | undefined } {
    const deliveries: LocalDelivery[] = []
    let begun = from === undefined
    for (let index = this.#deliveries.length - 1; index >= 0; index--) {
      const delivery = this.#deliveries[index] as LocalDelivery
      if (delivery.deliveredAt < since) break
      begun ||= delivery.id === from
      if (!begun || !wanted(delivery)) continue
      if (deliveries.length === size) return { deliveries, next: delivery.id }
      deliveries.push(delivery)
    }
    return { deliveries, next: undefined }
  }

  find(id: number, since: number): LocalDelivery | undefined {
    return this.#deliveries.find((delivery) => delivery.id === id && delivery.deliveredAt >= since)
  }
}
