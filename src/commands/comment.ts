/** The text of a delivery that may contain commands: a comment, or the body of a new issue or pull request. */
import { digitsIn, type Json, objectIn, textIn } from '../runtime/json.ts'
import type { Command, CommandTarget } from './command.ts'

export interface Comment {
  /** As its author wrote it, in Markdown. */
  body: string
  /** The text before an edit. `undefined` if the comment is new. */
  before: string | undefined
  /** When it was written or edited, as GitHub writes times. */
  writtenAt: string | undefined
  target: CommandTarget
  /** The number of the issue or pull request, in digits: the option `parsePayload` may return a BigInt. */
  number: string
  /** The path of its reactions, after that of the repository. */
  reactions: string
  /** The user who wrote or edited it. */
  author: { login: string; id: string }
  isByBot: boolean
}

/** The beginning of the replies of commands. They are no commands, even if their author is a user and not a bot. */
export const replyMark = '<!-- hookserver reply '

/** GitHub allows 65,536 characters. Some of them count as two in JavaScript. */
const maxLength = 2 * 65_536

/** @returns `undefined` if the payload has no new text, or lacks members that GitHub sends. */
export function commentIn(payload: Json): Comment | undefined {
  const [issue, pull] = [objectIn(payload, 'issue'), objectIn(payload, 'pull_request')]
  const comment = objectIn(payload, 'comment')
  const written = comment ?? issue ?? pull
  const body = textIn(written, 'body')
  const number = digitsIn(issue ?? pull, 'number')
  const commentId = digitsIn(comment, 'id')
  const sender = objectIn(payload, 'sender')
  const [login, id] = [textIn(sender, 'login'), digitsIn(sender, 'id')]
  const changes = objectIn(payload, 'changes')
  const change = objectIn(changes, 'body')
  const before = change && (textIn(change, 'from') ?? '') // the body of an issue may have been empty
  if (body === undefined || number === undefined || login === undefined || id === undefined) return undefined
  if (body.startsWith(replyMark) || body.length > maxLength || (before?.length ?? 0) > maxLength) return undefined
  if (comment && commentId === undefined) return undefined
  const user = objectIn(written, 'user')
  if (objectIn(changes, 'old_issue')) return undefined // transferred: its text is old, and its commands have run
  // The sender of a new text may be another user than its author, who then has not asked for the command.
  if (before === undefined && digitsIn(user, 'id') !== id) return undefined
  if (textIn(payload, 'action') === 'edited' && before === undefined) return undefined // another member was edited
  return {
    ...{ body, before, number, author: { login, id } },
    writtenAt: textIn(written, 'updated_at'),
    target: pull || objectIn(issue, 'pull_request') ? 'pull_request' : 'issue',
    reactions: comment ? `${issue ? 'issues' : 'pulls'}/comments/${commentId}/reactions` : `issues/${number}/reactions`,
    isByBot: [sender, user].some((one) => textIn(one, 'type') === 'Bot'),
  }
}

/**
 * The first word of each line, if it may be the name of a command. Only letters of ASCII: no other letter is equal to them.
 */
const firstWords = /^[ \t]*(\/[a-z][a-z0-9-]*)(?=\s|$)/gim

/** The name of the command that a line may be, in lower case. */
export const nameOf = (line: string): string | undefined => /^\/[a-z][a-z0-9-]*(?=\s|$)/i.exec(line)?.[0].toLowerCase()

/** Longer names are not those of commands, and would make the search for a similar name slow. */
const maxNameLength = 50

/** The names of the last comment: each command looks for its own. */
let last: { body: string; names: ReadonlyMap<string, number> } | undefined

/**
 * The names at the beginnings of lines, in lower case, each with the position of its first line. The lines may be in
 * quotes or code: `visible-lines.ts` decides. This search takes little time and needs no parser, so that a delivery
 * without a command costs nearly nothing.
 */
export function possibleNames(body: string): ReadonlyMap<string, number> {
  if (last?.body !== body) last = { body, names: firstPositions(body) }
  return last.names
}

function firstPositions(body: string): Map<string, number> {
  const positions = new Map<string, number>()
  for (const { 1: name = '', index } of body.matchAll(firstWords)) {
    const known = name.toLowerCase()
    if (name.length <= maxNameLength && !positions.has(known)) positions.set(known, index)
  }
  return positions
}

/** The position of a command in the text of a payload. `undefined` if the payload does not contain the command. */
export function positionOf(command: Command, payload: Json): number | undefined {
  const comment = commentIn(payload)
  if (!comment || !command.on.includes(comment.target)) return undefined
  if (comment.isByBot && command.bots !== true && !isListedBot(command, comment)) return undefined
  return possibleNames(comment.body).get(command.name)
}

/** Whether a command names the bot that has written the comment, so that it needs no permission. */
export const isListedBot = ({ bots }: Command, { author }: Comment): boolean =>
  Array.isArray(bots) && bots.includes(author.login)
