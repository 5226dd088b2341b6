import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { estimateOf } from './durations.ts'

/**
 * Starts the projects in the order of the configuration, because Vitest ends a process when the next file belongs to
 * another project. In each project, the long files start first: a long file that starts last runs alone while other
 * cores are idle.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const position = (file: TestSpecification) => this.ctx.projects.indexOf(file.project)
    const ms = (file: TestSpecification) => estimateOf(file.moduleId).ms
    return files.toSorted((one, other) => position(one) - position(other) || ms(other) - ms(one))
  }
}
