import { isObject } from '../../src/runtime/json.ts'

const replacement = '[redacted]'

/** A shorter part of a URL is no secret, and occurs in many other texts. */
const minLength = 6

/** Removes secrets from everything that the probe prints. Of a URL, it also removes the query and the credentials. */
export class Redactor {
  readonly #secrets = new Set<string>()

  add(secret: string): void {
    if (secret !== '') this.#secrets.add(secret)
  }

  /** Adds the query of a URL, which may contain a token. GitHub could also show the query without the rest of the URL. */
  addUrl({ search, username, password }: URL): void {
    for (const secret of [search.slice(1), username, password]) if (secret.length >= minLength) this.add(secret)
  }

  text(text: string): string {
    const withoutQueries = text
      .replaceAll(/(https?:\/\/)[^\s"'<>/@]*@/g, '$1')
      .replaceAll(/(https?:\/\/[^\s"'<>?#]*)[?#][^\s"'<>]*/g, '$1')
    const longestFirst = [...this.#secrets].toSorted((a, b) => b.length - a.length)
    return longestFirst.reduce((result, secret) => result.replaceAll(secret, replacement), withoutQueries)
  }

  /** A copy of plain data, with every text in it redacted. */
  value<T>(value: T): T {
    return this.#value(value) as T
  }

  #value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((item) => this.#value(item))
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [this.text(name), this.#value(member)]))
  }
}
