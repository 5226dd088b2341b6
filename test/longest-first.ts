import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take ten seconds or more, the longest first. One that is not there does no harm. */
const long = [
  'postgres/contract',
  'chaos/chaos',
  'chaos/backlog/backlog',
  'sqlite/contract',
  'server/secrets/secrets',
  'cli/deliveries',
  'demo',
  'github/outage',
  'cli/doctor-postgres',
  'kill/kill',
]

/**
 * Has the long ones begun first: one that is begun last runs alone, beside an idle core. Vitest knows by itself how long
 * they took the last time, but not in a fresh clone, where it begins with the largest.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = long.indexOf(relative(import.meta.dirname, moduleId).replace(/\.test\.ts$/, ''))
      return found === -1 ? long.length : found
    }
    return (await super.sort(files)).sort((one, other) => place(one) - place(other))
  }
}
