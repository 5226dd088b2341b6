/**
 * The program of a thread, beside the file that starts it; `.ts` where Node.js runs the sources.
 * @param url `import.meta.url` of the file that starts it.
 * @param own What that file is called, without its ending.
 * @param program What the program is called, without its ending.
 * @param who Says in an error who starts it.
 * @throws {Error} in a bundle, where there is no such file.
 */
export function threadFile(url: string, own: string, program: string, who: string): URL {
  const file = url.replace(new RegExp(`/${own}(\\.[jt]s)$`), `/${program}$1`)
  if (file !== url) return new URL(file)
  throw new Error(`${who} from its own files: keep "hookserver" external in your bundler`)
}
