import type { Reply } from '../http/reply.ts'
import { style, styleSource } from './style.ts'

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

interface PageOptions {
  /** Whether a form of the page leads to another site. A policy applies to the redirect of a form, too. */
  formsLeave?: boolean
  /** Whether the browser loads the page again after a second. */
  refreshes?: boolean
}

/** A page without scripts: everything on it works in a browser and in a test that sends forms with `fetch()`. */
export function page(
  status: number,
  title: string,
  content: Html,
  { formsLeave = false, refreshes = false }: PageOptions = {},
): Reply {
  const { text } = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${refreshes ? html`<meta http-equiv="refresh" content="1">` : undefined}
<title>${title} · Local GitHub</title>
<style>${new Html(style)}</style>
<header><a href="/">Local GitHub</a> <span>Signed in as octocat</span></header>
<main>
<h1>${title}</h1>
${content}
</main>
</html>
`
  const policy = ["default-src 'none'", `style-src ${styleSource}`, "base-uri 'none'", "frame-ancestors 'none'"]
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [...policy, ...(formsLeave ? [] : ["form-action 'self'"])].join('; '),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'referrer-policy': 'strict-origin-when-cross-origin',
  }
  return { status, headers, page: text }
}

/** A table that scrolls sideways on a narrow screen. */
export function table(names: readonly string[], rows: readonly (readonly (Html | string)[])[]): Html {
  const heads = names.map((name) => html`<th scope="col">${name}</th>`)
  const body = rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)
  return html`<div class="table"><table><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table></div>`
}

export const missingPage = (): Reply =>
  page(404, 'Page not found', html`<p>This is not the web page you are looking for.</p>`)

/** Sends the browser to another address. */
export const redirect = (address: string | URL): Reply => ({
  status: 302,
  headers: { location: String(address), 'cache-control': 'no-store' },
})
