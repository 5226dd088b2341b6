import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { estimateOf } from './durations.ts'

/** Starts the long files first: a long file that starts last runs alone while other cores are idle. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => estimateOf(other.moduleId).ms - estimateOf(one.moduleId).ms)
  }
}
