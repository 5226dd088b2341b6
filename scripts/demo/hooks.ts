/** The handlers of `npm run demo`. Some of them fail on purpose. */
import { Discard, Hooks } from 'hookserver'

export const hooks: Hooks = new Hooks()

hooks.hook('push', ({ ref, commits }) => ({ ref, commits: commits.length }))
hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)
hooks.hook('star', { backoff: '50ms' }, (_data, _guid, { attempt }) => {
  if (attempt < 3) throw new Error('The service that counts stars is down')
  return `counted with attempt ${attempt}`
})
hooks.hook('deployment_review', { attempts: 4, backoff: '20ms' }, () =>
  Promise.reject(new Error('The cluster is gone')),
)
hooks.hook('fork', () => {
  throw new Discard('Forks are ignored')
})
hooks.on('*', { name: 'count', order: 'repository' }, () => {}) // the demo counts the runs of this handler
