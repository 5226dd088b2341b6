import type { LocalDelivery } from './delivery.ts'

export interface Page {
  /** The id of the page's first delivery. Newer deliveries are skipped. */
  from: string | undefined
  size: number
  /** The time before which deliveries are skipped, in milliseconds since 1970. */
  since: number
  wanted(delivery: LocalDelivery): boolean
}

/** The deliveries of one webhook, ordered by time. Beyond the maximum, the log deletes the oldest ones. */
export class DeliveryLog {
  readonly #deliveries: LocalDelivery[] = []
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  /** All deliveries, oldest first, including those that are too old for the API. */
  get all(): readonly LocalDelivery[] {
    return this.#deliveries
  }

  /** Inserts a delivery by its time: at the end, except for past deliveries. */
  add(delivery: LocalDelivery): void {
    let [low, high] = [0, this.#deliveries.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(this.#deliveries[middle] as LocalDelivery, delivery)) low = middle + 1
      else high = middle
    }
    this.#deliveries.splice(low, 0, delivery)
    if (this.#deliveries.length > this.#max) this.#deliveries.shift()
  }

  /** The deliveries of a page, newest first, and the id of the next page's first delivery, if there is one. */
  page({ from, size, since, wanted }: Page): { deliveries: LocalDelivery[]; next: string | undefined } {
    const deliveries: LocalDelivery[] = []
    let found = from === undefined
    for (let index = this.#deliveries.length - 1; index >= 0; index--) {
      const delivery = this.#deliveries[index] as LocalDelivery
      if (delivery.deliveredAt < since) break
      found ||= delivery.id === from
      if (!found || !wanted(delivery)) continue
      if (deliveries.length === size) return { deliveries, next: delivery.id }
      deliveries.push(delivery)
    }
    return { deliveries, next: undefined }
  }

  find(id: string): LocalDelivery | undefined {
    return this.#deliveries.find((delivery) => delivery.id === id)
  }
}

function isBefore(one: LocalDelivery, other: LocalDelivery): boolean {
  return (
    one.deliveredAt < other.deliveredAt || (one.deliveredAt === other.deliveredAt && BigInt(one.id) < BigInt(other.id))
  )
}
