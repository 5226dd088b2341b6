import type { NextConfig } from 'next'

export default { serverExternalPackages: ['hookserver'] } satisfies NextConfig
