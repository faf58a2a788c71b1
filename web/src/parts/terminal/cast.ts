/** A recording as it was written: a file of asciicast v2. It knows neither screen nor clock. */

export interface Moment {
  /** Seconds since the beginning. */
  at: number;
  /** Text for the screen, or its new size. */
  what: { text: string } | { columns: number; rows: number };
}

export interface Cast {
  title: string;
  columns: number;
  rows: number;
  moments: readonly Moment[];
  /** When whoever drove entered a line, in seconds. */
  entered: readonly number[];
  /** Seconds. */
  duration: number;
  /** Whether it breaks off because it may not become longer. */
  isCut: boolean;
}

const LARGEST = 1_000;
/** Who goes back twice within this goes to the one before, in seconds. */
const BACK = 0.5;
const TINY = 0.001;

/** Reads a recording; nothing if it is none. Lines that cannot be read are left out: the last one may be half. */
export function readCast(file: string): Cast | null {
  const [first = '', ...rest] = file.split('\n');
  const header = parsed(first) as { version?: unknown; width?: unknown; height?: unknown; title?: unknown } | null;
  const size = sizeOf(header?.width, header?.height);
  if (header?.version !== 2 || !size) return null;
  const moments: Moment[] = [];
  const entered: number[] = [];
  let isCut = false;
  let at = 0;
  for (const line of rest) {
    const event = parsed(line);
    if (!Array.isArray(event) || typeof event[0] !== 'number' || typeof event[2] !== 'string') continue;
    const [time, kind, data] = event as [number, unknown, string];
    // Moments never go back.
    at = Math.max(at, Number.isFinite(time) ? time : at);
    if (kind === 'o') moments.push({ at, what: { text: data } });
    // A marker with words says that it breaks off; one without stands where a line was entered.
    if (kind === 'm' && data === '') entered.push(at);
    else if (kind === 'm') isCut = true;
    if (kind !== 'r') continue;
    const [columns, rows] = data.split('x').map(Number);
    const grid = sizeOf(columns, rows);
    if (grid) moments.push({ at, what: grid });
  }
  const title = typeof header.title === 'string' ? header.title : '';
  return { title, ...size, moments, entered, duration: moments.at(-1)?.at ?? 0, isCut };
}

/** The same with no pause longer than so many seconds. */
export function withoutPauses(cast: Cast, longest: number): Cast {
  let before = 0;
  let left = 0;
  const moments = cast.moments.map((moment) => {
    left += Math.max(0, moment.at - before - longest);
    before = moment.at;
    return { ...moment, at: moment.at - left };
  });
  const entered = cast.entered.map((at) => shortened(cast, longest, at));
  return { ...cast, moments, entered, duration: moments.at(-1)?.at ?? 0 };
}

/** Where a moment of a recording is once it has no pause longer than so many seconds. */
export function shortened(cast: Cast, longest: number, moment: number): number {
  let before = 0;
  let left = 0;
  for (const { at } of cast.moments) {
    if (at > moment) break;
    left += Math.max(0, at - before - longest);
    before = at;
  }
  return moment - left - Math.max(0, moment - before - longest);
}

/** The last moment before another one; the one from which a look back goes on is a little earlier than where it stands. */
export function before(moments: readonly number[], at: number): number | undefined {
  return moments.findLast((one) => one < at - BACK);
}

/** The first moment after another one. */
export function after(moments: readonly number[], at: number): number | undefined {
  return moments.find((one) => one > at + TINY);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function sizeOf(columns: unknown, rows: unknown): { columns: number; rows: number } | null {
  const is = (side: unknown): side is number => Number.isInteger(side) && Number(side) > 0 && Number(side) <= LARGEST;
  return is(columns) && is(rows) ? { columns, rows } : null;
}
