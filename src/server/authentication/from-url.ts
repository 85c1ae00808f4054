/** Owns taking credentials out of a request target: from its query, or from the start of its path. Refuses to check them. */

/** A request target without some of its parameters, and their values. */
export interface FromQuery {
  readonly url: string;
  /** By name. Empty for one that came more than once with different values. */
  readonly values: ReadonlyMap<string, string>;
}

/** Takes parameters out of the query; the others stay as they were written. */
export function takeFromQuery(url: string, names: readonly string[]): FromQuery {
  const values = new Map<string, string>();
  const mark = url.indexOf('?');
  if (mark === -1) return { url, values };
  const pairs = url.slice(mark + 1).split('&');
  const left = pairs.filter((pair) => {
    const equals = pair.indexOf('=');
    const name = decoded(equals === -1 ? pair : pair.slice(0, equals));
    if (name === undefined || !names.includes(name)) return true;
    const value = (equals === -1 ? '' : decoded(pair.slice(equals + 1))) ?? '';
    values.set(name, (values.get(name) ?? value) === value ? value : '');
    return false;
  });
  if (left.length === pairs.length) return { url, values };
  const path = url.slice(0, mark);
  return { url: left.length === 0 ? path : `${path}?${left.join('&')}`, values };
}

/** Takes the first two segments off a path, as user and password; undefined when there are not two. */
export function takeFromPath(url: string): { url: string; user: string; password: string } | undefined {
  const match = /^([a-z][a-z0-9+.-]*:\/\/[^/?]*)?\/([^/?]+)\/([^/?]+)([/?].*)?$/i.exec(url);
  const [user, password] = [decoded(match?.[2]), decoded(match?.[3])];
  if (match === null || user === undefined || password === undefined) return undefined;
  const rest = match[4] ?? '';
  return { url: `${match[1] ?? ''}${rest.startsWith('/') ? rest : `/${rest}`}`, user, password };
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
