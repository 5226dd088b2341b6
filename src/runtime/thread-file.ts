/**
 * The program of a worker thread, in the folder of the file that starts it. It ends in `.ts` where Node.js runs the sources.
 * @param url `import.meta.url` of the file that starts the thread.
 * @param own The name of that file, without its ending.
 * @param program The name of the program's file, without its ending.
 * @param who The beginning of the error message.
 * @throws {Error} in a bundle, which has no such file.
 */
export function threadFile(url: string, own: string, program: string, who: string): URL {
  const file = url.replace(new RegExp(`/${own}(\\.[jt]s)$`), `/${program}$1`)
  if (file !== url) return new URL(file)
  throw new Error(`${who} from its own files: keep "hookserver" external in your bundler`)
}
