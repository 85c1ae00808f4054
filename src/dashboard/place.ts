/** Owns the places of the page and how they stand in the address, behind the `#`. Refuses to show them. */

/** What of the page is shown. */
export type ViewName = 'overview' | 'charts' | 'connections' | 'connection' | 'backends';

/** One place. */
export interface Place {
  readonly view: ViewName;
  /** Of the connection; empty otherwise. */
  readonly id: string;
  /** The server that is meant; empty for the first. */
  readonly server: string;
  /** What a list is narrowed to, and the like. */
  readonly query: Readonly<Record<string, string>>;
}

/** Reads the address; what it cannot read is the overview. */
export function placeOf(hash: string): Place {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const { server = '', ...query } = Object.fromEntries(new URLSearchParams(search));
  const [name = '', id = ''] = path.split('/', 2);
  if (name === 'connections' && id !== '') return { view: 'connection', id: decoded(id), server, query };
  const view = name === 'charts' || name === 'connections' || name === 'backends' ? name : 'overview';
  return { view, id: '', server, query };
}

/** The address of a place, from the `#` on. */
export function hashOf({ view, id = '', server = '', query = {} }: Partial<Place> & Pick<Place, 'view'>): string {
  const path = view === 'overview' ? '' : view === 'connection' ? `connections/${encodeURIComponent(id)}` : view;
  const said = Object.entries({ ...query, server }).filter(([, value]) => value !== '');
  const search = new URLSearchParams(said).toString();
  return `#/${path}${search === '' ? '' : `?${search}`}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
