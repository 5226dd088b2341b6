/** The commands that create an App on a local GitHub, and run its handlers. @param owner The owner of a repository. */
export function nextCommands(origin: string, owner: { login: string; type: string } | undefined): string[] {
  // Only its owner can install an App that is not public.
  const organization = owner?.type === 'Organization' ? ` --org ${owner.login}` : ''
  return [
    `npx hookserver app create --github ${origin}${organization} --public-url http://127.0.0.1:8000/hooks --no-serve`,
    'npx hookserver serve --dev',
  ]
}
