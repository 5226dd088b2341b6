/** The steps of a user on the pages of the local GitHub, as requests without a browser. */
import type { LocalGitHub } from '../../../src/testing/index.ts'

export const nowhere = 'http://127.0.0.1:1'
export const manifest = {
  ...{ name: 'Hello Bot', url: 'https://bot.example.com', redirect_url: `${nowhere}/callback?flow=1` },
  hook_attributes: { url: `${nowhere}/hooks` },
  ...{ default_permissions: { issues: 'write' }, default_events: ['issues', 'issue_comment'] },
}

/** Sends a form as a browser does, without following the redirect. */
export async function send(address: string, fields: Record<string, string>) {
  const response = await fetch(address, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  return { status: response.status, location: response.headers.get('location'), text: await response.text() }
}

/** The page for a manifest. */
export const show = ({ webUrl }: LocalGitHub, given: unknown, path = '/settings/apps/new?state=s%26%22') =>
  send(webUrl + path, { manifest: typeof given === 'string' ? given : JSON.stringify(given) })

/** The fields and the action of the only form on a page. */
export function formOf(text: string) {
  const unescaped = (value = '') => value.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
  const inputs = [...text.matchAll(/<input [^>]*name="(\w+)" value="([^"]*)"/g)]
  const fields = Object.fromEntries(inputs.map(([, name, value]) => [name, unescaped(value)]))
  return { action: /<form method="post" action="([^"]*)"/.exec(text)?.[1], fields }
}

/** Clicks the button of the only form. `name` replaces the name on the form. */
export async function click(github: LocalGitHub, { text }: { text: string }, name?: string) {
  const { action, fields } = formOf(text)
  return send(`${github.webUrl}${action}`, { ...fields, ...(name !== undefined && { name }) })
}

/** The code in the redirect of a new registration. */
export async function codeFor(github: LocalGitHub, given: object = manifest) {
  const { location } = await click(github, await show(github, given))
  return new URL(location ?? '').searchParams.get('code') ?? ''
}
