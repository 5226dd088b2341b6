import { createHash } from 'node:crypto'

/** The style of all pages. The colors are those of the system, which has a light and a dark scheme. */
export const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, CanvasText 25%, Canvas) }
body { max-width: 60rem; margin: 0 auto; padding: 0 1rem 3rem }
header, nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem }
header { justify-content: space-between; padding: 1rem 0; border-bottom: 1px solid var(--line) }
nav ul { list-style: none; padding: 0 }
a { color: light-dark(#0550ae, #79b8ff) }
h1 { overflow-wrap: anywhere; line-height: 1.2 }
label { display: block; margin: .75rem 0 }
label input:not([type=checkbox], [type=radio]), label select, textarea { display: block; width: 100%; max-width: 30rem }
textarea { max-width: none; min-height: 6rem }
input, select, textarea, button { box-sizing: border-box; font: inherit; padding: .4rem .6rem }
input[type=checkbox], input[type=radio] { width: 1.2rem; height: 1.2rem; vertical-align: text-bottom }
form { margin: 1rem 0 }
.table { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
pre { overflow: auto; max-height: 40rem; padding: .75rem; border: 1px solid var(--line); border-radius: .4rem }
pre, code { font: .875rem/1.5 ui-monospace, monospace }
.text { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: 0; border: 0; padding: 0; max-height: none }
article, .note, [role=alert] { padding: .75rem 1rem; margin: 1rem 0; border: 1px solid var(--line); border-radius: .4rem }
article h2 { font-size: 1rem; margin: 0 0 .5rem }
[role=alert] { border-color: light-dark(#b42318, #ff8a80) }
.failed { color: light-dark(#b42318, #ff8a80) }
.label { display: inline-block; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem }
.row { display: flex; flex-wrap: wrap; align-items: end; gap: .5rem }
.row label { margin: 0 }
`

/** The source for the directive `style-src` of a policy: it allows this style, and no other. */
export const styleSource = `'sha256-${createHash('sha256').update(style).digest('base64')}'`
