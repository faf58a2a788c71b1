/** The files of a lab in the order in which one looks for them, and what their names may be. No drawing. */

import { rooted } from '../api';
import type { LabFile } from '../shapes';

export interface Group {
  /** The folder; empty for those that are in none. */
  folder: string;
  files: (LabFile & { name: string })[];
}

/** By their folders: what describes the lab first, then its steps, then the rest. */
export function grouped(files: readonly LabFile[], locale: string): Group[] {
  const names = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });
  const groups = new Map<string, Group>();
  for (const file of files) {
    const at = file.path.lastIndexOf('/');
    const folder = at < 0 ? '' : file.path.slice(0, at);
    const group = groups.get(folder) ?? { folder, files: [] };
    group.files.push({ ...file, name: file.path.slice(at + 1) });
    groups.set(folder, group);
  }
  const rank = ({ folder }: Group) => (folder === '' ? 0 : folder === 'steps' ? 1 : 2);
  const first = (name: string) => (name === 'lab.yaml' ? 0 : 1);
  for (const group of groups.values()) {
    group.files.sort((a, b) => first(a.name) - first(b.name) || names.compare(a.name, b.name));
  }
  return [...groups.values()].sort((a, b) => rank(a) - rank(b) || names.compare(a.folder, b.folder));
}

/** Whether a path can be one of a lab's folder: it leads nowhere else, and every system can write it. */
export function isPath(text: string): boolean {
  const parts = text.split('/');
  return (
    text.length <= 200 &&
    // eslint-disable-next-line no-control-regex
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\0-\x1f\\:*?"<>|]/.test(part))
  );
}

/** The file that is shown first: the first step, else what describes the lab. */
export function firstOf(files: readonly LabFile[], locale: string): string | undefined {
  const groups = grouped(files, locale);
  const steps = groups.find(({ folder }) => folder === 'steps')?.files.find(({ path }) => isPage(path));
  return (steps ?? groups[0]?.files[0])?.path;
}

export function isPage(path: string): boolean {
  return /\.(md|markdown)$/i.test(path);
}

/** The language of a page by its name (`NAME.LANGUAGE.md`), else that of the steps: the first one of the lab. */
export function languageOf(path: string, languages: readonly string[]): string | undefined {
  const named = /\.([^./]+)\.(?:md|markdown)$/i.exec(path)?.[1];
  return languages.find((each) => each === named) ?? languages[0];
}

/** Whether a file says of the others what they are. */
export function isHead(path: string): boolean {
  return path === 'lab.yaml';
}

export function isImage(path: string): boolean {
  return /\.(png|jpe?g|gif|webp|svg|avif)$/i.test(path);
}

/** How a file is written in a page, from the lab's folder on. */
export function reference(path: string): string {
  return `/${rooted(path).replace(/[\s()<>%]/g, (letter) => encodeURIComponent(letter).replace('(', '%28').replace(')', '%29'))}`;
}
