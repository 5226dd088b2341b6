/** The module of docs/guides/first-webhook.md. */
import { Hooks } from 'hookserver'

const hooks: Hooks = new Hooks()

hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)

export default hooks
