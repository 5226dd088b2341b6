/** Shows how far long work has come, where somebody looks; without a text it is taken away. */
export function showProgress(text = ''): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

export const counted = (deliveries: number): string => `${deliveries.toLocaleString('en')} deliveries`
