/** The terminals that are open in this tab of the browser; they are still open after a reload. */

export interface OpenTerminal {
  id: string;
  name: string;
}

const KEPT = 'pierhead.terminals';
const MOST = 12;

/** What was kept, if it can be. */
export function read(text: string | null): OpenTerminal[] {
  try {
    const found: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(found)) return [];
    const isOne = (one: unknown): one is OpenTerminal =>
      typeof one === 'object' &&
      one !== null &&
      'id' in one &&
      typeof one.id === 'string' &&
      'name' in one &&
      typeof one.name === 'string';
    return found
      .filter(isOne)
      .map(({ id, name }) => ({ id, name }))
      .slice(-MOST);
  } catch {
    return [];
  }
}

/** The list with one more, if it is not there; the oldest goes when there are too many. */
export function added(list: readonly OpenTerminal[], one: OpenTerminal): OpenTerminal[] {
  if (list.some(({ id }) => id === one.id)) {
    return list.map((old) => (old.id === one.id && one.name !== '' ? one : old));
  }
  return [...list, one].slice(-MOST);
}

/** Which one is looked at after `id` was closed: the one behind it, else the one before. */
export function after(list: readonly OpenTerminal[], id: string): string | null {
  const at = list.findIndex((one) => one.id === id);
  const rest = list.filter((one) => one.id !== id);
  return rest[Math.min(Math.max(at, 0), rest.length - 1)]?.id ?? null;
}

/** Names that can be told apart: those that occur more than once get a number. */
export function numbered(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    return nth === 1 ? name : `${name} ${nth}`;
  });
}

class OpenTerminals {
  list = $state.raw<readonly OpenTerminal[]>(read(globalThis.sessionStorage?.getItem(KEPT) ?? null));

  add(one: OpenTerminal): void {
    this.#set(added(this.list, one));
  }

  remove(id: string): void {
    this.#set(this.list.filter((one) => one.id !== id));
  }

  #set(list: readonly OpenTerminal[]): void {
    this.list = list;
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(list));
    } catch {
      // Without storage they are open until the page is left.
    }
  }
}

export const openTerminals = new OpenTerminals();
