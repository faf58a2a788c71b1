/**
 * How the boxes of the hosts are arranged: how much each shows, and how wide it is. The largest host gives the measure;
 * the others are as wide as their capacity is beside its. Where there are many hosts the boxes stand in a grid, and their
 * bars alone are of different widths.
 */
import type { Amount } from './model';

/** How much a box shows: all; name, bars and percentages; or bars under a name. */
export type Detail = 'full' | 'brief' | 'dense';

/** What the arrangement came to. */
export interface Tiles {
  detail: Detail;
  /** Widths of the boxes in pixels, in the order of the hosts. */
  widths: number[];
  /** The part of a box that its bars take. */
  bars: number[];
  gap: number;
}

interface Measure {
  least: number;
  most: number;
  gap: number;
  /** A smaller host's box, and its bar, is at least this part of the largest. */
  share: number;
  bar: number;
}

const MEASURES: Record<Detail, Measure> = {
  full: { least: 220, most: 560, gap: 12, share: 0.6, bar: 1 },
  brief: { least: 144, most: 240, gap: 8, share: 1, bar: 0.2 },
  dense: { least: 76, most: 120, gap: 6, share: 1, bar: 0.2 },
};

/** From so many hosts on boxes are `brief`, and then `dense`. */
const BRIEF_FROM = 10;
const DENSE_FROM = 49;

/** How much boxes show when there are so many. */
export function detailOf(hosts: number): Detail {
  if (hosts >= DENSE_FROM) return 'dense';
  return hosts >= BRIEF_FROM ? 'brief' : 'full';
}

/** Arranges boxes of these capacities on a width of so many pixels. */
export function arrange(
  capacities: readonly Amount[],
  available: number,
  detail: Detail = detailOf(capacities.length),
  isAlone = false,
): Tiles {
  const { least, most, gap, share, bar } = MEASURES[detail];
  const shares = sharesOf(capacities);
  const fitting = Math.floor((available + gap) / (least + gap));
  const columns = Math.max(1, Math.min(fitting, capacities.length || 1));
  const widest = Math.max(
    0,
    Math.min(isAlone ? available : most, Math.floor((available - gap * (columns - 1)) / columns)),
  );
  const widths = shares.map((part) => Math.floor(widest * Math.max(share, part)));
  return { detail, widths, bars: shares.map((part) => Math.max(bar, part)), gap };
}

/** Each capacity beside the largest, from 0 to 1: the mean of cores and memory. */
export function sharesOf(capacities: readonly Amount[]): number[] {
  const cpus = Math.max(0, ...capacities.map((one) => one.cpus));
  const memory = Math.max(0, ...capacities.map((one) => one.memory));
  const means = capacities.map(
    (one) => ((cpus > 0 ? one.cpus / cpus : 0) + (memory > 0 ? one.memory / memory : 0)) / 2,
  );
  const largest = Math.max(0, ...means);
  return means.map((mean) => (largest > 0 ? mean / largest : 1));
}
