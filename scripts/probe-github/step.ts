import type { Probe } from './probe.ts'

/** Plain data, which a report can hold as JSON. */
export type Fact = string | number | boolean | null | readonly Fact[] | { readonly [name: string]: Fact }

export type Facts = Readonly<Record<string, Fact>>

/** One question to GitHub. */
export interface Step {
  /** The name for `--only`, and in reports. */
  name: string
  question: string
  /** @throws {NotAsked} if GitHub cannot be asked, for example because a flag is missing. */
  ask(probe: Probe): Promise<Answer>
}

export interface Answer {
  /** How GitHub behaves. `--compare` compares these facts. */
  facts: Facts
  /** Figures that differ from run to run. `--compare` ignores them. */
  measured?: Facts
}

/** The reason why a step did not ask its question. */
export class NotAsked extends Error {
  override readonly name = 'NotAsked'
}
