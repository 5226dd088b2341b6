/** The result of one check of a configuration. */
export interface Finding {
  what: string
  state: 'fine' | 'warning' | 'failed'
  found: string
  /** How to fix it. */
  cure?: string | undefined
  /** Lines of the user's code, and the stack of an error in it. */
  trace?: string | undefined
}

export const fine = (what: string, found: string): Finding => ({ what, state: 'fine', found })

export const warning = (what: string, found: string, cure: string): Finding => ({
  what,
  state: 'warning',
  found,
  cure,
})

export const failed = (what: string, found: string, cure?: string): Finding => ({ what, state: 'failed', found, cure })
