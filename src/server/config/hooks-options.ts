import type { HooksOptions } from '../../options.ts'
import type { Config } from './resolve-config.ts'

/** The options of `Hooks` that are set here. The options of the module apply to the others. */
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
