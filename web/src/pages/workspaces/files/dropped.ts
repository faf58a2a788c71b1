/** Files that were dropped or chosen, folders with all that is in them. */

import { join, named } from './paths';

export interface Coming {
  /** Below the folder that they were dropped on. */
  path: string;
  file: Blob;
}

/** What was chosen in a dialog of the browser. */
export function chosen(files: Iterable<File>): Coming[] {
  return [...files].map((file) => ({ path: `/${named(file.name)}`, file }));
}

/** What was dropped. To be called while it happens: later nothing is told of it. */
export async function dropped(data: DataTransfer): Promise<Coming[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (entries.every((entry) => entry === null)) return chosen(data.files);
  const all = entries.flatMap((entry) => (entry ? [from(entry, '/')] : []));
  return (await Promise.all(all)).flat();
}

async function from(entry: FileSystemEntry, folder: string): Promise<Coming[]> {
  const path = join(folder, named(entry.name));
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: Coming[] = [];
  // It tells some of them at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    for (const each of some) all.push(...(await from(each, path)));
  }
}
