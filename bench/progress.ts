/** Shows the progress of long work in a terminal; without a text it clears the line. */
export function showProgress(text = ''): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

export const counted = (deliveries: number): string => `${deliveries.toLocaleString('en')} deliveries`
