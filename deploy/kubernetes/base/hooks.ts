import { Hooks } from 'hookserver'

const hooks = new Hooks()

hooks.hook('issues.opened', ({ issue }) => console.log(`#${issue.number} ${issue.title}`))

export default hooks
