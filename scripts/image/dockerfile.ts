/** @returns a Dockerfile for the last stage of `dockerfile`, with `root.tar` in place of the files of other stages. */
export function withRootArchive(dockerfile: string): string {
  const [from = '', ...instructions] = dockerfile.slice(dockerfile.lastIndexOf('\nFROM ') + 1).split('\n')
  const others = instructions.filter((instruction) => !instruction.startsWith('COPY --from='))
  return [from, 'ADD root.tar /', ...others].join('\n')
}
