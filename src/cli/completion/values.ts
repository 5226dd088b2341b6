import type { Argument, Option } from 'commander'
import { knownNames } from '../../events.ts'
import { deliveryStates } from '../../inbox/records.ts'
import { type SettingName, settings } from '../../server/settings.ts'
import { sampleNames } from '../send/choosing.ts'

/** What may be typed for a value: words; or files with one of these endings, any file where there are none. */
export type Values = { words: readonly string[] } | { files: readonly string[] }

/** What a placeholder stands for, so that a flag is completed by what `--help` calls its value. */
const placeholders: Readonly<Record<string, () => Values>> = {
  file: () => ({ files: [] }),
  database: () => ({ files: [] }),
  module: () => ({ files: ['.ts', '.js', '.mjs'] }),
  event: () => ({ words: knownNames() }),
  'event[.action]': () => ({ words: ['all', ...sampleNames()] }),
  state: () => ({ words: deliveryStates }),
}

/** `undefined` where a shell cannot know them. */
export function valuesOfFlag(flag: Option): Values | undefined {
  return wordsOf(flag.argChoices ?? settingOf(flag)?.parse.words) ?? placeholders[placeholderOf(flag)]?.()
}

/** `undefined` where a shell cannot know them. */
export function valuesOfArgument(argument: Argument): Values | undefined {
  return wordsOf(argument.argChoices) ?? placeholders[argument.name()]?.()
}

/** `file` of `--secret-file <file>`. */
export function placeholderOf({ flags }: Option): string {
  return /[<[](.+?)(?:\.\.\.)?[\]>]$/.exec(flags)?.[1] ?? ''
}

const wordsOf = (words: readonly string[] | undefined): Values | undefined => words && { words }

function settingOf(flag: Option) {
  const name = flag.attributeName()
  return Object.hasOwn(settings, name) ? settings[name as SettingName] : undefined
}
