import { appsPage } from '../../github/addresses.ts'
import { printable } from '../output.ts'
import type { CreateProgress } from './registration.ts'

/** How to find and keep the App after the command ended early. */
interface Continuation {
  /** The address of GitHub's pages. */
  github: string
  organization: string | undefined
  envFile: string
  /** Whether the file has the App of another command. */
  isTaken: boolean
  /** The command that runs the handlers. */
  next: string
  /** Flags of `app import`. */
  importFlags: string
}

/** What exists after the command ended early, and how to go on. */
export function earlyEndLines(
  { app, written, installed = false }: CreateProgress,
  { github, organization, envFile, isTaken, next, importFlags }: Continuation,
): string[] {
  const page = appsPage(github, organization)
  const importCommand = `  npx hookserver app import --id ${app?.id ?? '<id>'} --private-key <file>${importFlags}`
  if (!app && !isTaken) {
    return [`${envFile} was not changed. If ${page} lists a new App, delete it before you start again.`]
  }
  const reason = isTaken ? ', because it has the App of another command' : ''
  if (!app) {
    return [
      `${envFile} was not changed${reason}. If ${page} lists an App of this command, delete it, or keep it in another file:`,
      'generate a private key and a webhook secret on its page, then run:',
      importCommand,
    ]
  }
  const name = `The App ${printable(app.name)} (id ${app.id}) exists on GitHub`
  if (!written) {
    return [
      `${name}, but ${envFile} was not changed${reason}. GitHub does not show the key of the App again.`,
      `Generate a private key and a webhook secret on ${page}/${app.slug}, then run:`,
      importCommand,
    ]
  }
  return [
    `${name}, and ${envFile} has its key.`,
    ...(installed ? [] : [`Install it: ${app.page}/installations/new`]),
    'See it:     npx hookserver app status',
    `Go on:      ${next}`,
  ]
}
