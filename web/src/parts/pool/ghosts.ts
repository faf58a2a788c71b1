/**
 * Ghosts: pieces that would come to a host, and keys of pieces that would leave theirs, for what is asked beforehand: a
 * deployment, a drain, a rebalance, the loss of a host.
 */
import { pieceKey, type Amount, type Piece, type PoolHost } from './model';

/** What would change. */
export interface Ghosts {
  /** By host. */
  coming: Map<string, Piece[]>;
  /** Keys of pieces that would go. */
  leaving: Set<string>;
  /** Keys of pieces that would have no place any more. */
  homeless: Set<string>;
  /** Hosts that refuse, and why. */
  refusing: Map<string, string>;
}

/** Nothing changes. */
export function noGhosts(): Ghosts {
  return { coming: new Map(), leaving: new Set(), homeless: new Set(), refusing: new Map() };
}

interface Explained {
  hosts: { engine: string; fits: boolean; reason?: string | null | undefined }[];
  slots: { slot: number; engine?: string | null | undefined }[];
}

/** Where the slots of a request would land, each of this size, and which hosts refuse. */
export function ghostsOfRequest(explained: Explained, app: string, size: Amount): Ghosts {
  const ghosts = noGhosts();
  for (const { slot, engine } of explained.slots) {
    if (engine) come(ghosts, { key: `+${pieceKey(app, slot)}`, host: engine, app, slot, state: 'starts', size });
  }
  for (const host of explained.hosts) {
    if (!host.fits) ghosts.refusing.set(host.engine, host.reason ?? '');
  }
  return ghosts;
}

interface Moved {
  app: string;
  slot: number;
  from: string;
  to: string;
}

/** Slots that go from one host to another. Moves of slots that are not there any more count for nothing. */
export function ghostsOfMoves(moves: readonly Moved[], pool: readonly PoolHost[]): Ghosts {
  const ghosts = noGhosts();
  const present = new Map(pool.flatMap((host) => host.pieces).map((piece) => [piece.key, piece]));
  for (const move of moves) {
    const piece = present.get(pieceKey(move.app, move.slot));
    if (!piece) continue;
    ghosts.leaving.add(piece.key);
    come(ghosts, { ...piece, key: `+${piece.key}`, host: move.to, container: undefined, state: 'starts' });
  }
  return ghosts;
}

interface Survival {
  engine: string;
  homeless: { app: string; slot: number }[];
  moves?: Moved[] | undefined;
}

/** What becomes of a host's pieces if it is lost: all leave it, and those that nobody takes are homeless. */
export function ghostsOfLoss(survival: Survival, pool: readonly PoolHost[]): Ghosts {
  const ghosts = ghostsOfMoves(survival.moves ?? [], pool);
  for (const piece of pool.find((host) => host.id === survival.engine)?.pieces ?? []) ghosts.leaving.add(piece.key);
  for (const { app, slot } of survival.homeless) ghosts.homeless.add(pieceKey(app, slot));
  return ghosts;
}

function come(ghosts: Ghosts, piece: Piece): void {
  const there = ghosts.coming.get(piece.host);
  if (there) there.push(piece);
  else ghosts.coming.set(piece.host, [piece]);
}

/** Hosts and how many pieces come to each, most first: `h2` 2, `h1` 1. */
export function landing(ghosts: Ghosts): { host: string; count: number }[] {
  const counts = [...ghosts.coming].map(([host, pieces]) => ({ host, count: pieces.length }));
  return counts.sort((one, two) => two.count - one.count || (one.host < two.host ? -1 : 1));
}
