/** The lines of one or several logs in one order, as many as are kept. No drawing and no network. */

import { plain } from './ansi';

/** A line of a log, or a place where something may be missing. */
export interface Line {
  /** Rises by one from line to line of a book; lines that are inserted later have the number of their arrival. */
  id: number;
  /** Whose log: the place in the list of sources. */
  source: number;
  /** When it was written, as the engine says it (RFC 3339 with nine digits); empty if it did not. */
  at: string;
  /** As it came, with its colours; a gap has none. */
  raw: string;
  /** Without them: what is searched and copied. */
  text: string;
  gap: Gap | null;
}

/** Why something may be missing here. */
export type Gap =
  /** The connection was lost, and the log followed again. */
  | 'reconnected'
  /** Older lines were let go, since no more are kept. */
  | 'dropped';

export const MOST_LINES = 100_000;
/** So many more are kept before the oldest go, so that they go in one piece. */
const SPARE = 5_000;

export class LogBook {
  #lines: Line[] = [];
  #next = 1;
  #dropped = 0;
  readonly #most: number;

  constructor(most = MOST_LINES) {
    this.#most = most;
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** How many lines were let go. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds lines of one source, which are in order among themselves. Answers how many of the oldest had to go. */
  add(source: number, raws: readonly string[]): number {
    return this.#merge(raws.map((raw) => this.#line(source, raw)));
  }

  /** Marks that something may be missing in a source after its newest line. */
  mark(source: number, gap: Gap): void {
    const at = this.#lines.findLast((line) => line.source === source)?.at ?? '';
    this.#merge([{ id: this.#next++, source, at, raw: '', text: '', gap }]);
  }

  clear(): void {
    this.#lines = [];
    this.#dropped = 0;
  }

  #line(source: number, whole: string): Line {
    const { at, raw } = parted(whole);
    return { id: this.#next++, source, at, raw, text: plain(raw), gap: null };
  }

  /** Puts lines where their moments belong: mostly at the end, else among the last ones. */
  #merge(fresh: readonly Line[]): number {
    const first = fresh.find((line) => line.at !== '');
    const newest = this.#lines.at(-1)?.at ?? '';
    if (!first || newest === '' || first.at >= newest) this.#lines.push(...fresh);
    else {
      let from = this.#lines.length;
      while (from > 0 && (this.#lines[from - 1]?.at ?? '') > first.at) from -= 1;
      this.#lines.push(...merged(this.#lines.splice(from), fresh));
    }
    return this.#trim();
  }

  #trim(): number {
    const over = this.#lines.length - this.#most;
    if (over <= SPARE && !(over > 0 && this.#most < SPARE)) return 0;
    this.#lines.splice(0, over);
    this.#dropped += over;
    return over;
  }
}

/** Two lists in order as one; of the same moment the older list's comes first. Lines without one stay behind theirs. */
function merged(old: readonly Line[], fresh: readonly Line[]): Line[] {
  const all: Line[] = [];
  let at = 0;
  for (const line of fresh) {
    while (at < old.length && (line.at === '' ? false : (old[at]?.at ?? '') <= line.at)) all.push(old[at++] as Line);
    all.push(line);
  }
  all.push(...old.slice(at));
  return all;
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/;

/** A line as `timestamps=true` gives it: its moment, and the rest. */
export function parted(line: string): { at: string; raw: string } {
  const stamp = STAMP.exec(line);
  return stamp ? { at: stamp[1] ?? '', raw: line.slice(stamp[0].length) } : { at: '', raw: line };
}

/** The places of lines in which a text occurs, whatever the case. */
export function found(lines: readonly Line[], text: string): number[] {
  const wanted = text.toLowerCase();
  if (wanted === '') return [];
  const places: number[] = [];
  for (const [at, line] of lines.entries()) if (line.text.toLowerCase().includes(wanted)) places.push(at);
  return places;
}

/** Lines as a file: with moments and names where they are wanted. */
export function written(lines: readonly Line[], names: readonly string[], hasTimes: boolean): string {
  const isMany = names.length > 1;
  return lines
    .filter((line) => line.gap === null)
    .map(
      (line) =>
        `${hasTimes && line.at ? `${line.at} ` : ''}${isMany ? `${names[line.source] ?? ''} ` : ''}${line.text}\n`,
    )
    .join('');
}
