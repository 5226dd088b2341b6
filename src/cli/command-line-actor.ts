import { userInfo } from 'node:os'
import type { Actor } from '../inbox/audit-log.ts'

/** The operator of a command that opens the database itself, for the audit log. */
export function commandLineActor(): Actor {
  return { access: 'command line', person: userName() }
}

/** The user of the operating system. In a container, the user may have only a number. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}`
  }
}
