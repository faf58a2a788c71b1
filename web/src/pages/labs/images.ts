/** The table of images for labs of other platforms, as a form has it. No drawing. */

export interface Becomes {
  environment?: string | null;
  image?: string | null;
  privileged?: boolean;
}

export interface ImageTable {
  images: Readonly<Record<string, Becomes>>;
  otherwise: Becomes;
}

/** One line of the form: a name of the other platform, and what it becomes here. */
export interface Row {
  name: string;
  kind: 'image' | 'environment';
  value: string;
  isPrivileged: boolean;
}

export function rowOf(name: string, { environment, image, privileged }: Becomes): Row {
  const isImage = environment == null;
  return {
    name,
    kind: isImage ? 'image' : 'environment',
    value: (isImage ? image : environment) ?? '',
    isPrivileged: privileged ?? false,
  };
}

export function rowsOf(table: ImageTable): Row[] {
  return Object.entries(table.images)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, becomes]) => rowOf(name, becomes));
}

function becomes({ kind, value, isPrivileged }: Row): Becomes {
  const text = value.trim();
  if (kind === 'environment') return { environment: text };
  return { image: text, ...(isPrivileged ? { privileged: true } : {}) };
}

/** The table of a form; lines that say nothing are left out. */
export function tableOf(rows: readonly Row[], otherwise: Row): ImageTable {
  const said = rows.filter(({ name, value }) => name.trim() !== '' && value.trim() !== '');
  return {
    images: Object.fromEntries(said.map((row) => [row.name.trim(), becomes(row)])),
    otherwise: becomes(otherwise),
  };
}
