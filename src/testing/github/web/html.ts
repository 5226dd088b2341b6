import type { Reply } from '../http/reply.ts'

/** Markup that needs no escaping. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Value = string | number | Html | readonly Html[] | undefined

/** Markup from a template: texts are escaped, markup is not, and `undefined` is left out. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(markupOf)))
}

function markupOf(value: Value): string {
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(({ text }) => text).join('\n')
  return String(value ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A page without scripts: everything on it works in a browser and in a test that sends forms with `fetch()`. */
export function page(status: number, title: string, content: Html): Reply {
  const { text } = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<style>body { font-family: sans-serif; max-width: 40em; margin: 3em auto } label { display: block; margin: 1em 0 }</style>
<h1>${title}</h1>
${content}
</html>
`
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'strict-origin-when-cross-origin',
  }
  return { status, headers, page: text }
}

export const missingPage = (): Reply =>
  page(404, 'Page not found', html`<p>This is not the web page you are looking for.</p>`)

/** Sends the browser to another address. */
export const redirect = (address: string | URL): Reply => ({
  status: 302,
  headers: { location: String(address), 'cache-control': 'no-store' },
})
