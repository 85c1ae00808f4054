/** Owns the token of the person who looks: for this tab, and as long as it is open. Refuses to put it anywhere else, such as in an address. */

const KEY = 'tidegate.token';

/** The token; empty for none. */
export class TokenKeeper {
  get value(): string {
    return sessionStorage.getItem(KEY) ?? '';
  }

  set value(token: string) {
    if (token === '') sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  }
}
