/** Deploys on push. `npm run dev` serves the handler, and restarts when this file changes. */
import { Hooks } from 'hookserver'
import { exec } from 'hookserver/exec'

// The secret comes from GITHUB_WEBHOOKS_KEY. `npm run dev` generates one if you set none.
const hooks = new Hooks()

hooks.hook('ping', ({ zen }) => zen)

const deploy = exec('sh', ['deploy.sh'], {
  cwd: import.meta.dirname,
  branch: 'main',
  timeout: 10 * 60_000,
  // The program gets these variables, and PATH, HOME and LANG, but no other variables of the server.
  env: { DEPLOY_FOLDER: process.env.DEPLOY_FOLDER, npm_config_cache: process.env.CACHE_DIRECTORY },
})
hooks.on('push', { name: 'deploy', attempts: 3 }, deploy) // the name must never change

export default hooks
