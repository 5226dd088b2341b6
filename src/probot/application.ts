import type { Options } from './options.ts'
import { Probot } from './probot.ts'

/** @deprecated Write `Probot`. Tests of apps for Probot 9 create it without credentials, and replace its `auth`. */
export class Application extends Probot {
  constructor(options: Options = {}) {
    super({ githubToken: options.appId || options.id ? undefined : 'none', ...options })
  }
}
