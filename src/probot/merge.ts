import deepmerge from 'deepmerge'

/** How `context.config()` merges: the options of the package `deepmerge`. */
export interface MergeOptions {
  // biome-ignore lint/suspicious/noExplicitAny: only the app knows the types of its lists
  arrayMerge?(target: any[], source: any[], options?: any): any[]
  clone?: boolean
  // biome-ignore lint/suspicious/noExplicitAny: only the app knows the types of its members
  customMerge?(key: string, options?: any): ((target: any, source: any) => any) | undefined
  isMergeableObject?(value: object): boolean
}

/** Merges objects deeply. Later objects override earlier ones. */
export function mergeAll(objects: readonly object[], options?: MergeOptions): Record<string, unknown> {
  return deepmerge.all([...objects], options) as Record<string, unknown>
}
