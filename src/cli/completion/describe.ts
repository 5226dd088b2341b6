import type { Argument, Command, Option } from 'commander'
import { printable } from '../printing.ts'
import { placeholderOf, type Values, valuesOfArgument, valuesOfFlag } from './values.ts'

/** A command as shells complete it. */
export interface Described {
  /** The words that lead to it, the program's name first. */
  path: readonly string[]
  /** In one line, as all descriptions here. */
  description: string
  /** Where there are some, the first operand is one of them. */
  subcommands: readonly Described[]
  flags: readonly Flag[]
  operands: readonly Operand[]
}

export interface Flag {
  /** Dashes included: `-h`, `--help`. */
  names: readonly string[]
  description: string
  /** `undefined` where it takes none. */
  value: Value | undefined
}

export interface Value {
  /** As `--help` calls it. */
  name: string
  /** Whether the flag, or the command, does without it. */
  optional: boolean
  /** `undefined` where a shell cannot know them. */
  values: Values | undefined
}

export interface Operand extends Value {
  /** Whether all that follows is one, too. */
  repeated: boolean
}

/** All that commander knows of a program, and of every command below it. */
export function describe(program: Command): Described {
  return describeBelow(program, [], [])
}

function describeBelow(command: Command, above: readonly string[], siblings: readonly string[]): Described {
  const path = [...above, command.name()]
  const help = command.createHelp()
  const commands = help.visibleCommands(command)
  const names = commands.map((one) => one.name())
  return {
    path,
    description: printable(command.summary() || command.description()),
    subcommands: commands.map((one) => describeBelow(one, path, names)),
    flags: help.visibleOptions(command).map(flagOf),
    operands: command.registeredArguments.map((argument) => operandOf(argument, siblings)),
  }
}

function flagOf(option: Option): Flag {
  const { short, long, description, required, optional } = option
  const value = { name: placeholderOf(option), optional, values: valuesOfFlag(option) }
  return {
    names: [short, long].filter((name) => name !== undefined),
    description: printable(description),
    value: required || optional ? value : undefined,
  }
}

/** Only commander's own `help [command]` takes the name of a command beside it. */
function operandOf(argument: Argument, siblings: readonly string[]): Operand {
  const name = argument.name()
  const values = name === 'command' ? { words: siblings } : valuesOfArgument(argument)
  return { name, optional: !argument.required, repeated: argument.variadic, values }
}

/** The command and all that is below it. */
export function* everyCommand(command: Described): Generator<Described> {
  yield command
  for (const one of command.subcommands) yield* everyCommand(one)
}

/**
 * The words that decide what those behind them are, by kind, each behind the words that lead to its command: `command`
 * leads to another, `takes` is a flag that must have a value, `may-take` one that can do without.
 */
export function kindsOfWords(program: Described): [kind: string, places: readonly string[]][] {
  const commands = [...everyCommand(program)]
  const flags = (optional: boolean) =>
    commands.flatMap(({ path, flags }) =>
      flags
        .filter(({ value }) => value?.optional === optional)
        .flatMap(({ names }) => names.map((name) => [...path, name].join(' '))),
    )
  const kinds: [string, string[]][] = [
    ['command', commands.slice(1).map(({ path }) => path.join(' '))],
    ['takes', flags(false)],
    ['may-take', flags(true)],
  ]
  return kinds.filter(([, places]) => places.length > 0)
}
