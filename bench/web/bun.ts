/** `bun bench/web/bun.ts <module>`: serves the `fetch` of the module's default export. */
declare const Bun: { serve(options: { port: number; hostname: string; fetch: unknown }): { port: number } }

const { default: handler } = await import(process.argv[2] as string)
const { port } = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: handler.fetch })
console.log(`listening on ${port}`)
