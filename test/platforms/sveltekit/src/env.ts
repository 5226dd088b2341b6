import { defineEnvVars } from '@sveltejs/kit/env'

const optional = (value: string | undefined): string | undefined => value

export const variables = defineEnvVars({
  GITHUB_WEBHOOKS_KEY: { schema: optional }, // the build runs without it
  HOOK_RANGES: { schema: optional }, // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
