import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take ten seconds or more, roughly in order of their duration. But the four files `chaos/chaos`,
 * `chaos/backlog/backlog`, `kill/kill` and `postgres/contract` are kept apart, because each of them needs most of a
 * machine with two cores, above all when it starts. Missing files are ignored.
 */
const long = [
  'chaos/chaos',
  'sqlite/contract',
  'cli/deliveries',
  'postgres/contract',
  'server/secrets/secrets',
  'chaos/backlog/backlog',
  'cli/init/templates',
  'demo',
  'github/recovery/outage',
  'cli/doctor-postgres',
  'cli/export-import',
  'cli/hooks/ensure',
  'cli/hooks/rotate',
  'cli/app/create-failures',
  'kill/kill',
]

/**
 * Starts the long files first: a long file that starts last runs alone while other cores are idle. Vitest remembers the
 * duration of each file, but in a fresh clone it starts with the largest files.
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
