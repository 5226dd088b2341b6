import { read } from './files.ts'

export interface Instruction {
  name: string
  value: string
}

/** The instructions of each stage of a Dockerfile. */
export function stagesOf(file: string): Instruction[][] {
  return read(file)
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, '')
    .split(/^(?=FROM )/m)
    .filter((stage) => stage.startsWith('FROM '))
    .map((stage) => [...stage.matchAll(/^([A-Z]+) +(.*)$/gm)].map(([, name = '', value = '']) => ({ name, value })))
}

export const valuesIn = (stage: readonly Instruction[], name: string): string[] =>
  stage.flatMap((one) => (one.name === name ? [one.value] : []))

/** The words of a command in the form of a JSON array. */
export const commandIn = (text: string): string[] => JSON.parse(/\[.*\]/.exec(text)?.[0] ?? '')
