import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take ten seconds or more, roughly in order of their duration. But the campaigns (`chaos`, `backlog` and
 * `kill`) and the two contracts are kept apart, because each of them needs most of a machine with two cores. Missing
 * files are ignored.
 */
const long = [
  'chaos/chaos',
  'server/secrets/secrets',
  'cli/deliveries',
  'sqlite/contract',
  'cli/init/templates',
  'cli/hooks/ensure',
  'postgres/contract',
  'cli/doctor-postgres',
  'cli/export-import',
  'demo',
  'cli/hooks/rotate',
  'github/recovery/outage',
  'kill/kill',
  'cli/app/create-failures',
  'server/postgres',
  'inbox/handling',
  'chaos/backlog/backlog',
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
