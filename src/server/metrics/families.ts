/**
 * Metric families, and their text in the two formats that Prometheus reads: OpenMetrics 1.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/) and version 0.0.4 of its own text format.
 */

/** The value of `Content-Type` for each format, by the media type that a client accepts. */
export const contentTypes = {
  'application/openmetrics-text': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  'text/plain': 'text/plain; version=0.0.4; charset=utf-8',
}

export type Format = keyof typeof contentTypes

export const allFormats = Object.keys(contentTypes) as Format[]

/** The argument for the labels of a series. All series of a family have the same labels, in the same order. */
type Labels<Label extends string> = [Label] extends [never] ? [] : [labels: Readonly<Record<Label, string>>]

/** The families of a process. */
export class Families {
  readonly #families: Family<unknown>[] = []

  /** @param name Ends with `_total`. */
  counter<Label extends string = never>(name: string, help: string): Counter<Label> {
    return this.#add(new Counter<Label>(name, help))
  }

  gauge<Label extends string = never>(name: string, help: string): Gauge<Label> {
    return this.#add(new Gauge<Label>(name, help))
  }

  /** Adds a series whose labels are the information. Its value is 1. @param name Ends with `_info`. */
  info<Label extends string>(name: string, help: string, labels: Readonly<Record<Label, string>>): void {
    this.#add(new Info(name, help)).set(1, labels)
  }

  /** @param bounds Upper bounds of the buckets. */
  histogram<Label extends string = never>(name: string, help: string, bounds: readonly number[]): Histogram<Label> {
    return this.#add(new Histogram<Label>(name, help, bounds))
  }

  #add<Added extends Family<unknown>>(family: Added): Added {
    this.#families.push(family)
    return family
  }

  text(format: Format): string {
    const lines = this.#families.flatMap((family) => [...metadata(family, format), ...family.samples()])
    if (format === 'application/openmetrics-text') lines.push('# EOF')
    return `${lines.join('\n')}\n`
  }
}

/** In OpenMetrics, the name of a family has no `_total` and no `_info`, and ends with its unit. */
function metadata({ name, type, help }: Family<unknown>, format: Format): string[] {
  if (format === 'text/plain') return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type === 'info' ? 'gauge' : type}`]
  const family = name.replace(/_(total|info)$/, '')
  const [, unit] = /_(seconds|bytes)$/.exec(family) ?? []
  return [`# TYPE ${family} ${type}`, ...(unit ? [`# UNIT ${family} ${unit}`] : []), `# HELP ${family} ${help}`]
}

abstract class Family<Value> {
  abstract readonly type: 'counter' | 'gauge' | 'histogram' | 'info'
  /** The name of the samples; for a histogram, without `_bucket`, `_sum` and `_count`. */
  readonly name: string
  /** Without line breaks, backslashes and quotation marks, because we do not escape it. */
  readonly help: string
  /** The value of each series, by the text of its labels. */
  protected readonly series = new Map<string, Value>()

  constructor(name: string, help: string) {
    this.name = name
    this.help = help
  }

  /** Removes all series. */
  clear(): void {
    this.series.clear()
  }

  /** The lines of all samples. */
  abstract samples(): string[]
}

export class Counter<Label extends string = never> extends Family<number> {
  readonly type = 'counter'

  add(value: number, ...[labels]: Labels<Label>): void {
    const key = labelText(labels)
    this.series.set(key, (this.series.get(key) ?? 0) + value)
  }

  samples(): string[] {
    return [...this.series].map(([labels, value]) => sample(this.name, labels, value))
  }
}

export class Gauge<Label extends string = never> extends Family<number> {
  readonly type: 'gauge' | 'info' = 'gauge'

  /** @param value Without a value, the series is removed, because 0 would look like a measured value. */
  set(value: number | undefined, ...[labels]: Labels<Label>): void {
    const key = labelText(labels)
    if (value === undefined) this.series.delete(key)
    else this.series.set(key, value)
  }

  samples(): string[] {
    return [...this.series].map(([labels, value]) => sample(this.name, labels, value))
  }
}

class Info extends Gauge<string> {
  override readonly type = 'info'
}

interface Observations {
  /** The number of observations in each bucket, without those of the buckets before it. */
  buckets: number[]
  sum: number
}

export class Histogram<Label extends string = never> extends Family<Observations> {
  readonly type = 'histogram'
  readonly #bounds: readonly number[]

  constructor(name: string, help: string, bounds: readonly number[]) {
    super(name, help)
    this.#bounds = [...bounds, Number.POSITIVE_INFINITY]
  }

  observe(value: number, ...[labels]: Labels<Label>): void {
    const observations = this.#observations(labelText(labels))
    const bucket = this.#bounds.findIndex((bound) => value <= bound)
    observations.buckets[bucket] = (observations.buckets[bucket] ?? 0) + 1
    observations.sum += value
  }

  /** Adds a series without observations, if there is no such series. */
  start(...[labels]: Labels<Label>): void {
    this.#observations(labelText(labels))
  }

  #observations(labels: string): Observations {
    const known = this.series.get(labels)
    if (known) return known
    const none = { buckets: this.#bounds.map(() => 0), sum: 0 }
    this.series.set(labels, none)
    return none
  }

  samples(): string[] {
    return [...this.series].flatMap(([labels, { buckets, sum }]) => {
      let count = 0
      const lines = this.#bounds.map((bound, index) => {
        count += buckets[index] ?? 0
        const le = `le="${boundText(bound)}"`
        return sample(`${this.name}_bucket`, labels ? `${labels},${le}` : le, count)
      })
      return [...lines, sample(`${this.name}_sum`, labels, sum), sample(`${this.name}_count`, labels, count)]
    })
  }
}

/** The bound as a canonical number of OpenMetrics. In both formats, so that a series is the same in both. */
function boundText(bound: number): string {
  if (bound === Number.POSITIVE_INFINITY) return '+Inf'
  return Number.isInteger(bound) ? `${bound}.0` : String(bound)
}

const sample = (name: string, labels: string, value: number): string =>
  `${labels ? `${name}{${labels}}` : name} ${value}`

function labelText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels)
  return pairs.map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, escaped)}"`).join(',')
}

const escaped = (character: string): string => (character === '\n' ? '\\n' : `\\${character}`)
