/** The usage text of a command, and the arguments of a line that uses it. */

/** An argument without a name in the line: `<name>`, `[name]`, `<name...>` or `[name...]`. */
interface Positional {
  readonly name: string
  readonly isRequired: boolean
  /** Whether it takes all further words. */
  readonly isRest: boolean
}

/** A parsed usage text. */
export interface Usage {
  /** `/deploy` */
  readonly name: string
  readonly positionals: readonly Positional[]
  /** The flags by name, and whether each has a value: `--force`, `--ref=<name>`. */
  readonly flags: ReadonlyMap<string, 'boolean' | 'value'>
}

export type ArgumentValue = string | readonly string[] | boolean | undefined

/**
 * The first word of a line that is a command, with its slash. Letters are those of ASCII, so no letter has a look-alike.
 */
const commandName = /^\/[a-z][a-z0-9-]*$/
const positional = /^(?:<([a-z][\w-]*)(\.\.\.)?>|\[([a-z][\w-]*)(\.\.\.)?\])$/i
const flag = /^--([a-z][\w-]*)(=<[^<>\s]+>)?$/i

/** @throws {TypeError} naming the wrong word. */
export function parseUsage(text: string): Usage {
  const [name = '', ...words] = text.trim().split(/\s+/)
  const wrong = (fault: string) => new TypeError(`hooks.command('${text}'): ${fault}`)
  if (!commandName.test(name)) {
    throw wrong(`the usage must begin with a slash, a lower-case letter, and letters, digits and "-", got "${name}"`)
  }
  const positionals: Positional[] = []
  const flags = new Map<string, 'boolean' | 'value'>()
  for (const word of words) {
    const [, flagName, value] = flag.exec(word) ?? []
    const [, required, requiredRest, optional, optionalRest] = positional.exec(word) ?? []
    const argument = flagName ?? required ?? optional
    if (argument === undefined) {
      throw wrong(`"${word}" must be <name>, [name], <name...>, [name...], --flag or --flag=<value>`)
    }
    if (flags.has(argument) || positionals.some((other) => other.name === argument)) {
      throw wrong(`two arguments have the name "${argument}"`)
    }
    if (flagName !== undefined) {
      flags.set(flagName, value ? 'value' : 'boolean')
      continue
    }
    const last = positionals.at(-1)
    if (last?.isRest) throw wrong(`${word} comes after ${last.name}..., which takes all words`)
    if (required !== undefined && last && !last.isRequired) throw wrong(`${word} comes after an optional argument`)
    positionals.push({
      name: argument,
      isRequired: required !== undefined,
      isRest: (requiredRest ?? optionalRest) !== undefined,
    })
  }
  return { name, positionals, flags }
}

/** The arguments of a line do not fit the usage. The message is for the author of the line, without their text. */
export class ArgumentsError extends Error {}

/**
 * Reads the arguments of a line. Words with spaces are in double quotes. After `--`, no word is a flag.
 * @param text The line after the name of the command.
 * @throws {ArgumentsError}
 */
export function parseArguments({ positionals, flags }: Usage, text: string): Record<string, ArgumentValue> {
  const values = new Map<string, ArgumentValue>()
  for (const [name, kind] of flags) values.set(name, kind === 'boolean' ? false : undefined)
  const plain: string[] = []
  let mayBeFlag = true
  for (const { word, isQuoted } of wordsOf(text)) {
    if (mayBeFlag && word === '--' && !isQuoted) mayBeFlag = false
    else if (mayBeFlag && word.startsWith('--') && !isQuoted) readFlag(word, flags, values)
    else plain.push(word)
  }
  for (const { name, isRequired, isRest } of positionals) {
    if (isRequired && plain.length === 0) throw new ArgumentsError(`the argument \`${name}\` is missing`)
    values.set(name, isRest ? plain.splice(0) : plain.shift())
  }
  if (plain.length > 0) throw new ArgumentsError('the line has too many arguments')
  return Object.fromEntries(values)
}

function readFlag(word: string, flags: Usage['flags'], values: Map<string, ArgumentValue>): void {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  const kind = flags.get(name)
  if (!kind) throw new ArgumentsError('the line has an unknown flag')
  if (kind === 'boolean' && value !== undefined) throw new ArgumentsError(`the flag \`--${name}\` takes no value`)
  if (kind === 'value' && !value) throw new ArgumentsError(`the flag \`--${name}\` needs a value: \`--${name}=…\``)
  values.set(name, kind === 'boolean' ? true : value)
}

/** A word outside quotes may contain quotes in its value: `--reason="too slow"`. */
function wordsOf(text: string): { word: string; isQuoted: boolean }[] {
  const found = text.matchAll(/"([^"]*)"(?!\S)|((?:[^\s"]|"[^"]*")+)|(\S)/g)
  return [...found].map(([, quoted, plain, unpaired]) => {
    if (unpaired !== undefined) throw new ArgumentsError('the line has an unmatched quotation mark')
    return quoted === undefined
      ? { word: (plain as string).replaceAll('"', ''), isQuoted: false }
      : { word: quoted, isQuoted: true }
  })
}
