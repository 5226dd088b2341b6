/**
 * The type of `delivery.octokit()`. It compiles whether the package `octokit` is installed or not: it is the package's
 * `Octokit` if it is, and the interface below if it is not, when the call rejects anyway.
 */

// biome-ignore lint/suspicious/noTsIgnore: the package may be missing where this is compiled
/** @ts-ignore: `any` if the package is missing. Declaration files keep a comment of this kind. */
type Installed = import('octokit').Octokit

/** The part of `Octokit` that is declared here, for programs without the package. */
export interface AnyOctokit {
  request(route: string, parameters?: Record<string, unknown>): Promise<{ status: number; data: unknown }>
}

/** A missing module is of type `any`, and every string is a key of `any`. Other tests for `any` do not work here. */
export type DeliveryOctokit = string extends keyof Installed ? AnyOctokit : Installed
