import { Counter, Gauge, Histogram, Registry } from '@platformatic/prom-client'

/** Creates instruments in a registry of its own. The library's default registry belongs to the whole process. */
export class Instruments {
  readonly #registry = new Registry()

  counter<Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  gauge<Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }

  /** @param buckets Upper bounds. */
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
