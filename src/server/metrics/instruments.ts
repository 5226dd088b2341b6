import { Counter, Gauge, Histogram, Registry } from '@platformatic/prom-client'

/** What measures, in a registry of its own: that of prom-client is shared by all in the process. */
export class Instruments {
  readonly #registry = new Registry()

  counter<Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  gauge<Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }

  /** @param buckets The upper bounds. */
  histogram<Label extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    ...labelNames: Label[]
  ): Histogram<Label> {
    return new Histogram({ name, help, buckets: [...buckets], labelNames, registers: [this.#registry] })
  }

  /** The text that Prometheus reads. */
  async read(): Promise<{ type: string; text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }
}

/** Shows what may not be known, or not be there at all: a series that is absent says so, and a 0 would not. */
export function showIfKnown(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove()
  else gauge.set(value)
}
