/** What of a bar is drawn how: one path for each look. Pixels, but no elements. */
import { layBar, pathOf, type Bar, type Span } from './bars';
import type { Ghosts } from './ghosts';
import type { Amount, Piece, PoolHost } from './model';

/** How a piece looks; a class of the style sheet. */
export type Look = 'runs' | 'starts' | 'stands' | 'lost' | 'other' | 'leaving' | 'homeless' | 'ghost' | 'bright';

/** A bar of one resource, ready to be drawn. */
export interface Drawn {
  bar: Bar;
  paths: { look: Look; path: string }[];
}

/** The look of a piece. `bright` is the app that stands out. */
export function lookOf(piece: Piece, ghosts: Ghosts | undefined, bright: string): Look {
  if (ghosts?.homeless.has(piece.key)) return 'homeless';
  if (ghosts?.leaving.has(piece.key)) return 'leaving';
  if (piece.state === 'lost') return 'lost';
  if (piece.app === '') return 'other';
  if (bright !== '' && piece.app === bright) return 'bright';
  return piece.state;
}

/** Draws one resource of a host on a bar. */
export function drawBar(
  host: PoolHost,
  of: keyof Amount,
  width: number,
  height: number,
  ghosts: Ghosts | undefined,
  bright: string,
): Drawn {
  const coming = ghosts?.coming.get(host.id) ?? [];
  const bar = layBar(host.pieces, coming, host.capacity[of], width, (piece) => piece.size[of]);
  const byLook = new Map<Look, Span[]>();
  for (const span of bar.spans) {
    const look = lookOf(span.piece, ghosts, bright);
    const there = byLook.get(look);
    if (there) there.push(span);
    else byLook.set(look, [span]);
  }
  const paths = [...byLook].map(([look, spans]) => ({ look, path: pathOf(spans, 0, height) }));
  if (bar.ghosts.length > 0) paths.push({ look: 'ghost', path: pathOf(bar.ghosts, 0.5, height - 1, 1.5) });
  return { bar, paths };
}
