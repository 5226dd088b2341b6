const example = `import { Hooks } from 'hookserver'
const hooks = new Hooks({ secret: process.env.GITHUB_WEBHOOKS_KEY })
hooks.on('push', (data) => console.log(data.ref), { name: 'first' })
export default hooks`

/** Says how to register a handler. */
export function NoHandlers() {
  return (
    <div class="card none">
      <h2>There are no handlers</h2>
      <p>Deliveries are stored, and not handled. Write a module, hooks.mjs:</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard */}
      <pre tabIndex={0}>{example}</pre>
      <p>
        Then start the server with <code>hookserver serve hooks.mjs</code>. You can retry earlier deliveries then.
      </p>
    </div>
  )
}
