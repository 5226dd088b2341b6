import type { HooksOptions } from '../../options.ts'
import type { Config } from './resolve-config.ts'

/**
 * The options of `Hooks` that the settings of the server override. If one is `undefined`, that of the module applies.
 */
export function hooksOptions(config: Config): HooksOptions {
  const { url, validateIp, validateSignature, trustProxy, apiUrl, githubToken, dev } = config
  return {
    url: url.value,
    validateIp: dev.value ? false : validateIp.value,
    validateSignature: validateSignature.value,
    trustProxy: trustProxy.value,
    apiUrl: apiUrl.value,
    token: githubToken.value,
  }
}
