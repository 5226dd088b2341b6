/** Text in a script, as the shell is to have it: nothing of it is expanded. */

/** For bash and zsh, which end a quotation to show a quote. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** For fish, which knows two escapes between quotes. */
export const quotedForFish = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`

/** Words in a row, each as it is. @param quote What quotes those that need it. */
export const wordList = (words: readonly string[], quote: (text: string) => string): string =>
  words.map((word) => (/^[\w./@-]+$/.test(word) ? word : quote(word))).join(' ')
