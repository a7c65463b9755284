/** `refused`: the token that the server would not take; whoever keeps tokens makes a new one then. */
export type GetToken = (refused: string | null) => string | Promise<string>

export type Tokens = {
  readonly current: () => Promise<string | null>
  /** After a 401; requests that were refused together ask for one new token. False: there is none to be had. */
  readonly renew: (refused: string | null) => Promise<boolean>
}

export const noTokens: Tokens = { current: async () => null, renew: async () => false }
export const fixedToken = (token: string): Tokens => ({ current: async () => token, renew: async () => false })

export function tokensFrom(getToken: GetToken): Tokens {
  let held: Promise<string> | null = null
  const ask = (refused: string | null) => {
    const asked = Promise.resolve().then(() => getToken(refused))
    held = asked
    // One that could not be had is asked for again by the next request.
    asked.catch(() => {
      if (held === asked) held = null
    })
    return asked
  }
  return {
    current: () => held ?? ask(null),
    renew: async (refused) => {
      const known = await held?.catch(() => null)
      const renewed = known !== refused && known !== undefined && known !== null ? known : await ask(refused)
      return renewed !== refused
    },
  }
}
