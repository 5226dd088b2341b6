import { defaultBranch } from './branches.ts'
import type { World } from './world.ts'

/** A repository to add to the local GitHub. */
export interface LocalRepositoryOptions {
  /** Default: `false`. */
  private?: boolean
  /** Whether requests can only read it. Default: `false`. */
  archived?: boolean
  /** Texts by path: one commit for each, in the branch `main`. They send no event. Default: none. */
  files?: Readonly<Record<string, string>>
}

export function addRepository(world: World, fullName: string, { files = {}, ...known }: LocalRepositoryOptions): void {
  const { branches } = world.contentOf(world.findRepository(fullName) ?? world.addRepository(fullName, known))
  for (const [path, text] of Object.entries(files)) {
    const facts = { message: `Create ${path}`, author: world.user, committedAt: world.clock.now() }
    branches.write(defaultBranch, path, new TextEncoder().encode(text), facts)
  }
}
