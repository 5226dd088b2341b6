/** The applications of this folder, those with the most users first. */

export interface Platform {
  /** The folder of the application. */
  folder: string
  name: string
  /** The package of the platform. `run.ts` prints its name and version in the table of results. */
  package: string
  /** The path of deliveries. Default: `/hooks`. */
  path?: string
  /**
   * The header in which the platform or its reverse proxy reports the client's address. Without this member, the
   * application uses the address of the connection.
   */
  addressHeader?: string
  /** MiB of the largest body that the platform accepts. Only the `sizes` are tried. */
  largestBody: Size
  /** Whether the platform rejects deliveries that are forms, because it takes them for requests from another site. */
  rejectsForms?: boolean
  /** Whether `next-reload.ts` checks a route with an inbox. */
  reloads?: boolean
  /** Whether the application serves no page besides its hooks. */
  onlyHooks?: boolean
}

/** MiB of the bodies that are sent. GitHub sends up to 25. */
export const sizes = [1, 5, 25] as const
export type Size = (typeof sizes)[number]

export const platforms: readonly Platform[] = [
  {
    ...{ folder: 'next-app', name: 'Next.js, app router', package: 'next' },
    ...{ path: '/api/hooks', addressHeader: 'x-real-ip', largestBody: 25, reloads: true },
  },
  {
    ...{ folder: 'next-pages', name: 'Next.js, pages router', package: 'next' },
    ...{ path: '/api/hooks', largestBody: 25 },
  },
  { folder: 'nest-express', name: 'NestJS on Express', package: '@nestjs/core', largestBody: 25 },
  { folder: 'nest-fastify', name: 'NestJS on Fastify', package: '@nestjs/core', largestBody: 25 },
  {
    ...{ folder: 'sveltekit', name: 'SvelteKit, adapter-node', package: '@sveltejs/kit' },
    ...{ largestBody: 25, rejectsForms: true },
  },
  { folder: 'hono-bun', name: 'Hono on Bun', package: 'hono', largestBody: 25 },
  { folder: 'elysia-bun', name: 'Elysia on Bun', package: 'elysia', largestBody: 25 },
  {
    folder: 'wrangler',
    name: 'Cloudflare Workers, wrangler dev',
    package: 'wrangler',
    largestBody: 25,
    onlyHooks: true,
  },
  { folder: 'nuxt', name: 'Nuxt', package: 'nuxt', largestBody: 25 },
  { folder: 'nitro', name: 'Nitro', package: 'nitro', largestBody: 25, onlyHooks: true },
  { folder: 'deno', name: 'Deno', package: 'deno', largestBody: 25, onlyHooks: true },
  {
    ...{ folder: 'astro', name: 'Astro, Node adapter', package: 'astro' },
    ...{ largestBody: 25, rejectsForms: true },
  },
  {
    ...{ folder: 'react-router', name: 'React Router, framework mode', package: 'react-router' },
    ...{ addressHeader: 'x-real-ip', largestBody: 25 },
  },
  {
    folder: 'lambda',
    name: 'AWS Lambda, serverless offline',
    package: 'serverless-offline',
    largestBody: 5,
    onlyHooks: true,
  },
]
