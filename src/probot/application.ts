import type { Options } from './options.ts'
import { Probot } from './probot.ts'

/**
 * The app of Probot 9. Tests create it without credentials, and replace its method `auth`.
 *
 * @deprecated Write `Probot`.
 */
export class Application extends Probot {
  constructor(options: Options = {}) {
    super({ githubToken: options.appId || options.id ? undefined : 'none', ...options })
  }
}
