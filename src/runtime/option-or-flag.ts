/**
 * The key of the state in `globalThis`. A variable of this module is not enough: the module that a server loads may
 * import another copy of this package.
 */
const key: unique symbol = Symbol.for('hookserver.namesFlags')
const state = globalThis as { [key]?: boolean }

/** From now on, messages name flags of the command line: an operator of a server cannot change the options of its code. */
export function nameFlags(): void {
  state[key] = true
}

/** How a message names a setting: as an option in code, or as a flag of the command line after {@link nameFlags}. */
export const optionOrFlag = (option: string, flag: string): string => (state[key] ? flag : option)
