/**
 * What `delivery.octokit()` gives, as a type that compiles whether the package `octokit` is installed or not: its
 * `Octokit` where it is, and the one method below where it is not, and where nobody can call it anyway.
 */

// biome-ignore lint/suspicious/noTsIgnore: the package may be missing where this is compiled, and need not be
/** @ts-ignore: `any` where it is missing. A comment of this kind is one that declarations keep. */
type Installed = import('octokit').Octokit

/** The part of `Octokit` that is known of it without the package. */
export interface AnyOctokit {
  request(route: string, parameters?: Record<string, unknown>): Promise<{ status: number; data: unknown }>
}

/** Every text is a key of what could not be found. The usual tests for `any` give what they were given for it. */
export type DeliveryOctokit = string extends keyof Installed ? AnyOctokit : Installed
