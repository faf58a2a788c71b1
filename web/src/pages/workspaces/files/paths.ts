/** Paths of a workspace's files, as the API writes them: `%` stands as `%25`, and what is no text as `%` and two digits. */

/** A name as somebody types it, in the API's form. */
export function named(text: string): string {
  return text.replaceAll('%', '%25');
}

/** What is called so in a folder. */
export function join(folder: string, name: string): string {
  return `${folder === '/' ? '' : folder}/${name}`;
}

/** The folder in which something is; the root is in itself. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at <= 0 ? '/' : path.slice(0, at);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The folders on the way to a path, the root first; without itself. */
export function wayTo(path: string): string[] {
  const parts = path.split('/').filter(Boolean).slice(0, -1);
  return ['/', ...parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)];
}

/** Whether a text can be the name of a file. */
export function isName(text: string): boolean {
  const bytes = new TextEncoder().encode(text).length;
  return text !== '' && text !== '.' && text !== '..' && !text.includes('/') && !text.includes('\0') && bytes <= 255;
}

export interface Listed {
  name: string;
  path: string;
  kind: string;
  leads_to?: string | null;
}

/** Whether something can be looked into. */
export function isFolder(entry: Listed): boolean {
  return (entry.kind === 'link' ? entry.leads_to : entry.kind) === 'folder';
}

/** Whether something can be opened. */
export function isFile(entry: Listed): boolean {
  return (entry.kind === 'link' ? entry.leads_to : entry.kind) === 'file';
}

/** Folders first, then by names as people count: `a2` before `a10`. */
export function inOrder<T extends Listed>(entries: readonly T[], locale: string): T[] {
  const names = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });
  return [...entries].sort(
    (one, other) =>
      Number(isFolder(other)) - Number(isFolder(one)) ||
      names.compare(one.name, other.name) ||
      (one.path < other.path ? -1 : 1),
  );
}

export interface Row<T> {
  entry: T;
  depth: number;
}

/** What of a tree is shown: the files of all open folders, each below its folder. */
export function shown<T extends Listed>(
  top: string,
  open: ReadonlySet<string>,
  inside: (path: string) => readonly T[] | undefined,
  depth = 1,
): Row<T>[] {
  const rows: Row<T>[] = [];
  for (const entry of inside(top) ?? []) {
    rows.push({ entry, depth });
    // Links may lead up again: each is a path of its own, and opened by somebody's press.
    if (isFolder(entry) && open.has(entry.path)) rows.push(...shown(entry.path, open, inside, depth + 1));
  }
  return rows;
}
