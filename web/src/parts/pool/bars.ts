/**
 * A bar of a host: where each piece begins and ends on it, the path that draws many of them at once, and which one is
 * under a pointer. Lengths are pixels.
 */
import type { Piece } from './model';

/** A piece on a bar. */
export interface Span {
  piece: Piece;
  from: number;
  to: number;
}

/** A bar that is laid out. */
export interface Bar {
  width: number;
  /** Pixels for one core or megabyte. */
  scale: number;
  spans: Span[];
  /** Pieces that are not there yet, behind the others. */
  ghosts: Span[];
  /** Where what may be reserved ends; less than the width if more is held than that. */
  limit: number;
}

/** Lays pieces on a bar, and ghosts behind them. Who holds more than there is makes the scale smaller. */
export function layBar(
  pieces: readonly Piece[],
  ghosts: readonly Piece[],
  capacity: number,
  width: number,
  size: (piece: Piece) => number,
): Bar {
  const sum = (some: readonly Piece[]) => some.reduce((whole, piece) => whole + size(piece), 0);
  const whole = Math.max(capacity, sum(pieces) + sum(ghosts));
  const scale = whole > 0 ? width / whole : 0;
  let at = 0;
  const lay = (piece: Piece): Span => {
    const from = at;
    at += size(piece) * scale;
    return { piece, from, to: at };
  };
  const spans = pieces.map(lay);
  return { width, scale, spans, ghosts: ghosts.map(lay), limit: whole > 0 ? Math.min(width, capacity * scale) : width };
}

/** The narrowest piece that is drawn by itself; narrower ones that touch are drawn as one. */
const LEAST = 1.5;

/** One path for all these spans: rectangles from `top`, with a gap behind each that is wide enough for one. */
export function pathOf(spans: readonly Span[], top: number, height: number, gap = 1): string {
  let path = '';
  let open: { from: number; to: number } | undefined;
  const draw = (from: number, to: number, space: number) => {
    const width = round(Math.max(to - from - space, Math.min(to - from, 0.5)));
    if (width > 0) path += `M${round(from)} ${top}h${width}v${height}h-${width}z`;
  };
  for (const { from, to } of spans) {
    if (open && (to - from >= LEAST || from - open.to > 0.01)) {
      draw(open.from, open.to, 0);
      open = undefined;
    }
    if (to - from >= LEAST) draw(from, to, to - from > gap * 3 ? gap : gap / 2);
    else open = { from: open?.from ?? from, to };
  }
  if (open) draw(open.from, open.to, 0);
  return path;
}

function round(length: number): number {
  return Math.round(length * 10) / 10;
}

/** The span at a place, ghosts included; spans lie in their order without overlapping. */
export function spanAt(bar: Bar, x: number): Span | undefined {
  return search(bar.spans, x) ?? search(bar.ghosts, x);
}

function search(spans: readonly Span[], x: number): Span | undefined {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const span = spans[middle] as Span;
    if (x < span.from) high = middle;
    else if (x >= span.to) low = middle + 1;
    else return span;
  }
  return undefined;
}
