/**
 * What our routes say to the endpoints of the account service beside the request itself. They reach it by `relay` alone,
 * which makes all headers anew: nobody outside can name one of these.
 */
export const clientAddressHeader = 'x-exora-client-address'
export const correlationHeader = 'x-exora-correlation-id'
/** The generation of the account's logins, read before its secret is looked at (66-logins.sql). */
export const generationHeader = 'x-exora-login-generation'

type Endpoint = { readonly headers?: Headers | undefined; readonly request?: Request | undefined } | null

export const handedOn = (endpoint: Endpoint, header: string): string | null =>
  (endpoint?.headers ?? endpoint?.request?.headers)?.get(header) ?? null

/** For what better-auth inserts by itself: without a generation it is that of a new account. */
export async function withGeneration(
  _row: unknown,
  endpoint: Endpoint,
): Promise<{ data: { loginGeneration: number } } | undefined> {
  const said = handedOn(endpoint, generationHeader)
  return said === null ? undefined : { data: { loginGeneration: Number(said) } }
}
