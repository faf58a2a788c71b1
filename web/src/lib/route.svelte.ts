/** Where one is: `#/apps/web?filter=x`. Hash addresses work behind any path prefix, and every view can be shared. */

export type Query = Readonly<Record<string, string>>;

export interface Place {
  path: string;
  query: Query;
}

/** Takes a hash apart. */
export function parse(hash: string): Place {
  const text = hash.replace(/^#/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  const query = Object.fromEntries(new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)));
  return { path: `/${path.replace(/^\/+|\/+$/g, '')}`, query };
}

/** The address of a place for `href`; empty values are left out. Encode names in paths with `encodeURIComponent`. */
export function href(path: string, query: Readonly<Record<string, string | number | undefined | null>> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return `#${path}${text ? `?${text}` : ''}`;
}

/** The parameters of a path if it has the form of a pattern such as `/apps/:name`. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const value = given[at] ?? '';
    if (part.startsWith(':')) {
      if (value === '') return null;
      try {
        found[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return null;
      }
    } else if (part !== value) return null;
  }
  return found;
}

class Route {
  #place = $state.raw<Place>(parse(globalThis.location?.hash ?? ''));
  /** Of its own, so that what follows the path is left alone when only the query changes: the page, and its focus. */
  readonly #path = $derived(this.#place.path);

  constructor() {
    globalThis.addEventListener?.('hashchange', () => {
      this.#place = parse(location.hash);
    });
  }

  get path(): string {
    return this.#path;
  }

  get query(): Query {
    return this.#place.query;
  }

  /** Changes values of the query in place: for filters and tabs. It makes no step to go back to. */
  setQuery(change: Readonly<Record<string, string | number | undefined | null>>): void {
    const next = href(this.path, { ...this.query, ...change });
    history.replaceState(history.state, '', next);
    this.#place = parse(next);
  }
}

export const route = new Route();

/** Goes to another page. */
export function go(path: string, query?: Readonly<Record<string, string | number | undefined | null>>): void {
  location.hash = href(path, query);
}
