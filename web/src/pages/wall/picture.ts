/** Small pictures of terminals: what a wall is told of them, and how they look. */

/** Text of one look: colours 0 to 15, 16 that of the background, 17 that of text. */
export interface Run {
  t: string;
  f?: number;
  b?: number;
  /** 1 bold, 2 dim, 4 underlined, added up. */
  a?: number;
}

export interface PictureChange {
  terminal: string;
  columns: number;
  rows: number;
  height: number;
  whole: boolean;
  lines: readonly (readonly [number, readonly Run[]])[];
  over?: boolean;
}

export interface Picture {
  columns: number;
  lines: readonly (readonly Run[])[];
}

const NOTHING: readonly Run[] = [];
const WIDEST = 132;
const HIGHEST = 50;

/** The picture with what is new in it. Rows that did not change are the same ones, so that nobody draws them again. */
export function changed(before: Picture | undefined, change: PictureChange): Picture {
  const height = Math.min(change.height, HIGHEST);
  const old = change.whole || !before ? [] : before.lines;
  const lines = Array.from({ length: height }, (_, at) => old[at] ?? NOTHING);
  for (const [at, line] of change.lines) if (at < height) lines[at] = line;
  return { columns: Math.min(change.columns, WIDEST), lines };
}

/** The rows down to the last one in which something stands: of a screen that is half empty the full half is worth showing. */
export function written(lines: Picture['lines']): Picture['lines'] {
  const isBlank = (run: Run) => run.t.trim() === '' && (run.b ?? 16) === 16;
  return lines.slice(0, lines.findLastIndex((line) => !line.every(isBlank)) + 1);
}

/** The classes of a run. */
export function look(run: Run): string {
  const names: string[] = [];
  if (run.f !== undefined) names.push(`f${run.f}`);
  if (run.b !== undefined) names.push(`b${run.b}`);
  const attributes = run.a ?? 0;
  if (attributes & 1) names.push('bold');
  if (attributes & 2) names.push('dim');
  if (attributes & 4) names.push('underlined');
  return names.join(' ');
}
