/** Explanations of terms of GitHub and hookserver, for tooltips. */
export const terms: ReadonlyMap<string, string> = new Map([
  ['GUID', 'GitHub’s id for a delivery. A redelivery keeps it'],
  ['Hook id', 'GitHub’s number for the webhook'],
  ['Source', 'The name of the mount that received the delivery: its path, unless the option source sets another name'],
])
