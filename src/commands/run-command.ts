/** Runs the commands of a comment. This module is loaded when a delivery first contains a possible command. */
import type { AnyOctokit, Delivery } from '../delivery.ts'
import type { Json } from '../runtime/json.ts'
import { reportLastTimeout } from '../runtime/last-timeout.ts'
import type { KeyLocks } from '../runtime/mutex.ts'
import { untilAborted } from '../runtime/timer.ts'
import { isDiscard, isUnrecoverable, Unrecoverable } from '../thrown.ts'
import { deniedText, helpText, repeatedText, similarText, wrongArgumentsText } from './answers.ts'
import type { Command, CommandPermission } from './command.ts'
import { type Comment, commentIn, isListedBot, nameOf } from './comment.ts'
import { Conversation, type Reaction } from './conversation.ts'
import { includes, isMember, permissionOf } from './permission.ts'
import { helpName, maxCompared, similarCommand } from './similar.ts'
import { ArgumentsError, type ArgumentValue, parseArguments, type Usage } from './usage.ts'
import { visibleCommandLines } from './visible-lines.ts'

/** The members that the delivery of a command has besides those of any delivery. */
interface CommandMembers {
  args: Record<string, ArgumentValue>
  reply(text: string): Promise<void>
  react(content: Reaction): Promise<void>
}

/** A command, and the handler of the application. */
export interface RunnableCommand {
  command: Command
  usage: Usage
  handler(delivery: Delivery & CommandMembers): unknown
}

/** The result of a delivery whose text has a command only where readers see none. */
const notVisible = 'No command: readers do not see the line as a command, or the edit has not changed it'

/** The handlers are selected by the result of `JSON.parse`, and get that of the option `parsePayload`. */
const unreadable =
  'Cannot read the comment in the payload. The option "parsePayload" must return each id and number as a number, a BigInt or its digits'

/** The attempt may end with the text of its timeout, so the log has this text too. */
const notStarted = 'The command was not started: an earlier command of the comment did not end before the timeout'

/**
 * Runs a command, unless the comment does not contain it, its author lacks the permission, or its arguments are wrong.
 * The commands of one comment run one after the other in this process: `locks` are those of the `Hooks`.
 * @returns The result of the handler, or the reason why it did not run.
 */
export function runCommand(runnable: RunnableCommand, delivery: Delivery, locks: KeyLocks): Promise<unknown> {
  return inTurn(locks, delivery, async (comment, lines) => {
    const { command, usage, handler } = runnable
    const own = lines.filter((line) => nameOf(line) === command.name)
    const [line] = own
    if (line === undefined) return notVisible
    const octokit = (await delivery.octokit()) as AnyOctokit
    const conversation = new Conversation(delivery, comment, octokit)
    const denied = isListedBot(command, comment)
      ? undefined
      : await deniedPermission(command, comment, octokit, conversation, delivery.log)
    if (denied !== undefined) {
      await conversation.tryReact('-1')
      await conversation.reply(deniedText(command, denied))
      return `Denied: ${comment.author.login} has ${denied === 'none' ? 'no permission' : `the permission ${denied}`}`
    }
    let args: CommandMembers['args']
    try {
      args = parseArguments(usage, line.slice(command.name.length))
    } catch (error) {
      if (!(error instanceof ArgumentsError)) throw error
      await conversation.tryReact('confused')
      await conversation.reply(wrongArgumentsText(command, error.message))
      return `Wrong arguments: ${error.message}`
    }
    if (own.some((other) => other !== line)) await conversation.reply(repeatedText(command))
    const members: CommandMembers = {
      args,
      reply: (text) => conversation.reply(text),
      react: (content) => conversation.react(content),
    }
    return withReactions(conversation, delivery, () => {
      delivery.signal.throwIfAborted() // the next attempt may have begun while this one waited for GitHub
      return handler(withMembers(delivery, members))
    })
  })
}

/** Answers `/help`, or else the first line that begins with the misspelled name of a command. */
export function answerHelp(all: readonly Command[], delivery: Delivery, locks: KeyLocks): Promise<unknown> {
  return inTurn(locks, delivery, async (comment, lines) => {
    const commands = all.filter(({ on }) => on.includes(comment.target))
    const listed = commands.filter(({ isListed }) => isListed)
    const names = new Set(lines.flatMap((line) => nameOf(line) ?? []))
    const reply = async (text: string) => {
      const octokit = (await delivery.octokit()) as AnyOctokit
      await new Conversation(delivery, comment, octokit).reply(text)
    }
    if (names.has(helpName) && commands.every(({ name }) => name !== helpName)) {
      await reply(helpText(listed))
      return `Listed ${listed.length} commands`
    }
    for (const name of [...names].slice(0, maxCompared)) {
      const similar = similarCommand(name, commands)
      if (!similar) continue
      await reply(similarText(name, similar))
      return `Suggested ${similar.name} for ${name}`
    }
    return notVisible
  })
}

/**
 * Calls `work` with the comment and its lines, once the earlier commands of the delivery have ended. The signal also ends
 * the turn, because a handler that ignores it may never settle. The result still follows the handler, so that the worker
 * knows when its code has ended.
 */
async function inTurn(
  locks: KeyLocks,
  delivery: Delivery,
  work: (comment: Comment, lines: readonly string[]) => Promise<unknown>,
): Promise<unknown> {
  const { guid, hookId, source, signal } = delivery
  let running: Promise<unknown> | undefined
  const run = async () => {
    const comment = commentIn(delivery.payload as Json)
    if (!comment) throw new Unrecoverable(unreadable)
    return work(comment, linesOf(comment))
  }
  try {
    await locks.run(JSON.stringify([source, hookId, guid]), signal, () => untilAborted(signal, () => (running = run())))
  } catch (cause) {
    if (!running) {
      delivery.log.warn({ handler: delivery.handler }, notStarted)
      throw new Error(notStarted, { cause })
    }
  }
  return running
}

/** The lines of the last comment: each command of a comment needs them. */
let last: { body: string; before: string | undefined; lines: readonly string[] } | undefined

/** The lines that readers see as commands. After an edit, only those that the edit has added or changed. */
function linesOf({ body, before }: Comment): readonly string[] {
  if (last?.body !== body || last.before !== before) {
    const lines = visibleCommandLines(body)
    last = { body, before, lines: before === undefined ? lines : addedLines(lines, body, before) }
  }
  return last.lines
}

/**
 * The lines that readers did not see before an edit, and that the edit has written. A line that an edit of another line
 * makes visible is that of the earlier author, who may lack the permission of the user who edits.
 */
function addedLines(lines: readonly string[], body: string, before: string): string[] {
  const former = new Set(sourceLines(before))
  const changed = sourceLines(body).filter((line) => line.startsWith('/') && !former.has(line))
  const written = new Set(visibleCommandLines(changed.join('\n\n')))
  const seen = new Set(visibleCommandLines(before))
  return lines.filter((line) => written.has(line) && !seen.has(line))
}

/** The lines in Markdown, without the spaces around them. */
const sourceLines = (text: string): string[] => text.split(/\r\n?|\n/).map((line) => line.trim())

/**
 * The permission of the author, if it is not enough and no team replaces it. A user whose account GitHub does not
 * confirm, or who may not read the repository, counts as no member of a team.
 */
async function deniedPermission(
  { permission: needed, teams }: Command,
  { author }: Comment,
  octokit: AnyOctokit,
  { repository }: Conversation,
  log: Delivery['log'],
): Promise<CommandPermission | 'none' | undefined> {
  const permission = await permissionOf(octokit, repository, author, log)
  if (includes(permission, needed)) return undefined
  return permission !== 'none' && (await isMember(octokit, teams, author.login)) ? undefined : permission
}

async function withReactions(conversation: Conversation, delivery: Delivery, work: () => unknown): Promise<unknown> {
  const { attempt, isLastAttempt, signal } = delivery
  if (attempt === 1) await conversation.tryReact('eyes')
  const report = () => conversation.reactAfterEnd('confused')
  return reportLastTimeout(delivery, report, async () => {
    try {
      const result = await work()
      await conversation.tryReact('rocket')
      return result
    } catch (error) {
      if (!signal.aborted && !isDiscard(error) && (isLastAttempt || isUnrecoverable(error)))
        await conversation.tryReact('confused')
      throw error
    }
  })
}

/** The delivery with further members. Its own members are getters with private state, so they cannot be copied. */
function withMembers(delivery: Delivery, members: CommandMembers): Delivery & CommandMembers {
  return new Proxy(delivery, {
    get: (target, name) => Reflect.get(Object.hasOwn(members, name) ? members : target, name),
    has: (target, name) => Object.hasOwn(members, name) || Reflect.has(target, name),
  }) as Delivery & CommandMembers
}
