const example = `import { Hooks } from 'hookserver'
const hooks = new Hooks({ secret: process.env.GITHUB_WEBHOOKS_KEY })
hooks.on('push', { name: 'first' }, ({ payload }) => console.log(payload.ref))
export default hooks`

/** Explains how to register a handler. */
export function NoHandlers() {
  return (
    <div class="card none">
      <h2>No handlers</h2>
      <p>
        Deliveries are stored, but no handler runs for them. Create a module <code>hooks.mjs</code>:
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard */}
      <pre tabIndex={0}>{example}</pre>
      <p>
        Then start the server with <code>hookserver serve hooks.mjs</code>. Retry the stored deliveries to handle them.
      </p>
    </div>
  )
}
