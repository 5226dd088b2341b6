/** `next-reload.ts` changes this file, so that Next.js reloads the route. */
export const version: number = 1
