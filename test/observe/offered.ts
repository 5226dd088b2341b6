/** The metrics that a server really exports to Prometheus, with their labels and the values of the labels. */
import { expect } from 'vitest'
import type { Watched } from '../server/watched.ts'
import { metricsWithin, parsePromQL } from './promql.ts'

type Labels = Map<string, Set<string>>

export class Offered {
  readonly #metrics = new Map<string, Labels>()

  static async by(watched: Watched): Promise<Offered> {
    const offered = new Offered()
    for (const { samples } of (await watched.scrape()).values()) {
      for (const { name, labels } of samples) offered.#add(name, labels)
    }
    offered.#add('up', {}) // Prometheus itself adds this metric
    return offered
  }

  /** Adds a series, with the labels `job` and `instance`, which Prometheus adds to each series. */
  #add(metric: string, labels: Readonly<Record<string, string>>): void {
    const known = this.#metrics.get(metric) ?? new Map()
    this.#metrics.set(metric, known)
    for (const [label, value] of Object.entries({ job: 'hookserver', instance: '$instance', ...labels })) {
      known.set(label, (known.get(label) ?? new Set()).add(value))
    }
  }

  labelsOf(metric: string): string[] {
    return [...(this.#metrics.get(metric)?.keys() ?? [])]
  }

  /** Expects that the metrics, labels and label values of an expression exist. @returns the labels of its result. */
  expectToAnswer(expression: string): string[] {
    const parsed = parsePromQL(expression)
    expect(parsed.selectors, expression).not.toEqual([])
    for (const { metric, matchers } of parsed.selectors) {
      expect([...this.#metrics.keys()], expression).toContain(metric)
      for (const { label, values } of matchers) {
        const had = [...(this.#metrics.get(metric)?.get(label) ?? [])]
        expect(had, `${label} in ${expression}`).toEqual(expect.arrayContaining(values))
      }
    }
    for (const grouping of parsed.groupings) {
      for (const metric of metricsWithin(parsed, grouping)) {
        expect(this.labelsOf(metric), `${metric} in ${expression}`).toEqual(expect.arrayContaining(grouping.labels))
      }
    }
    const grouped = parsed.groupings.map(({ labels }) => labels)
    return grouped.length > 0 ? [...new Set(grouped.flat())] : this.labelsOf(parsed.selectors[0]?.metric ?? '')
  }
}
