/** Figures over time as they are kept for drawing: two grains, gaps where nothing came. No network and no canvas. */

export const FIELDS = [
  'cpu_cores',
  'memory_bytes',
  'rx_bytes_s',
  'tx_bytes_s',
  'read_bytes_s',
  'write_bytes_s',
] as const;
export type Field = (typeof FIELDS)[number];

/** What was measured at one moment. */
export type Point = { at: string } & Record<Field, number>;

export interface Series {
  /** Seconds between points. */
  interval_s: number;
  points: readonly Point[];
}

/** What is drawn: moments in seconds since 1970, and for each field its values, null where there is a gap. */
export interface Drawn {
  times: number[];
  values: Record<Field, (number | null)[]>;
}

const FINE_S = 1;
const COARSE_S = 15;
const FINE_KEPT_S = 300;
const COARSE_KEPT_S = 6 * 3600;
/** After so many intervals without a point the line is broken. */
const GAP = 3.5;

interface Sample {
  time: number;
  of: Record<Field, number>;
}

/** The figures of one container or host. */
export class Figures {
  #fine: Sample[] = [];
  #coarse: Sample[] = [];
  /** Those of the fifteen seconds that are not over. */
  #bucket: Sample[] = [];

  /** Takes the history; what was already there is replaced by it. */
  restore(series: readonly Series[]): void {
    const live = this.#fine;
    this.#fine = samples(series.find((one) => one.interval_s === FINE_S)?.points ?? []);
    this.#coarse = samples(series.find((one) => one.interval_s === COARSE_S)?.points ?? []);
    for (const sample of live) if (sample.time > (this.#fine.at(-1)?.time ?? 0)) this.#fine.push(sample);
  }

  /** Takes one more point, newer than all others; an older one is passed over. */
  add(point: Point): void {
    const sample = sampled(point);
    if (!sample || sample.time <= (this.#fine.at(-1)?.time ?? 0)) return;
    this.#fine.push(sample);
    drop(this.#fine, sample.time - FINE_KEPT_S);
    const begun = this.#bucket[0];
    if (begun && sample.time - begun.time >= COARSE_S) {
      this.#coarse.push(mean(this.#bucket));
      this.#bucket = [];
      drop(this.#coarse, sample.time - COARSE_KEPT_S);
    }
    this.#bucket.push(sample);
  }

  /** The newest values. */
  get last(): Record<Field, number> | null {
    return (this.#fine.at(-1) ?? this.#coarse.at(-1))?.of ?? null;
  }

  /** The last `seconds` before `now`, as fine as they are kept for so long. */
  drawn(seconds: number, now: number): Drawn {
    const isFine = seconds <= FINE_KEPT_S;
    const all = isFine
      ? this.#fine
      : [...this.#coarse, ...this.#fine.filter((one) => one.time > (this.#coarse.at(-1)?.time ?? 0))];
    return broken(
      all.filter((one) => one.time >= now - seconds),
      GAP * (isFine ? FINE_S : COARSE_S),
    );
  }
}

function sampled(point: Point): Sample | null {
  const time = Date.parse(point.at) / 1000;
  if (!Number.isFinite(time)) return null;
  const of = Object.fromEntries(FIELDS.map((field) => [field, Number(point[field] ?? 0)]));
  return { time, of: of as Record<Field, number> };
}

function samples(points: readonly Point[]): Sample[] {
  return points.flatMap((point) => sampled(point) ?? []).sort((a, b) => a.time - b.time);
}

function drop(list: Sample[], before: number): void {
  const kept = list.findIndex((one) => one.time >= before);
  if (kept > 0) list.splice(0, kept);
}

function mean(list: readonly Sample[]): Sample {
  const average = (field: Field) => list.reduce((sum, one) => sum + one.of[field], 0) / list.length;
  const of = Object.fromEntries(FIELDS.map((field) => [field, average(field)]));
  return { time: list.at(-1)?.time ?? 0, of: of as Record<Field, number> };
}

/** Puts a hole between two points that are too far apart. */
function broken(list: readonly Sample[], gap: number): Drawn {
  const times: number[] = [];
  const values = Object.fromEntries(FIELDS.map((field) => [field, []])) as unknown as Drawn['values'];
  for (const { time, of } of list) {
    const before = times.at(-1);
    if (before !== undefined && time - before > gap) {
      times.push((before + time) / 2);
      for (const field of FIELDS) values[field].push(null);
    }
    times.push(time);
    for (const field of FIELDS) values[field].push(of[field]);
  }
  return { times, values };
}

/** One line of a plot: its values at the moments of its own. */
export interface Curve {
  times: readonly number[];
  values: readonly (number | null)[];
}

/**
 * Several curves over one axis, as uPlot takes them: where a curve has no point of its own at a moment it is left as it
 * is (`undefined`), where it has a gap it is broken (`null`).
 */
export function together(curves: readonly Curve[]): [number[], ...(number | null | undefined)[][]] {
  const [first, ...others] = curves;
  if (!first) return [[]];
  const isSame = others.every(
    (curve) => curve.times.length === first.times.length && curve.times.every((time, at) => time === first.times[at]),
  );
  if (isSame) return [[...first.times], ...curves.map((curve) => [...curve.values])];
  const times = [...new Set(curves.flatMap((curve) => curve.times))].sort((a, b) => a - b);
  const place = new Map(times.map((time, at) => [time, at]));
  const columns = curves.map((curve) => {
    const column: (number | null | undefined)[] = Array(times.length).fill(undefined);
    for (const [at, time] of curve.times.entries()) column[place.get(time) ?? 0] = curve.values[at];
    return column;
  });
  return [times, ...columns];
}
