/** Hosts and pieces in words: for what is pointed at, and for who does not see the drawing. */
import { cores, megabytes, percent } from '../../lib/format';
import { words } from '../../lib/i18n.svelte';
import { inWords } from '../../lib/said';
import { pool } from '../../messages/pool';
import type { Ghosts } from './ghosts';
import { share, type HostState, type Piece, type PoolHost } from './model';

const t = words(pool);

/** The tone of a badge. */
export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'plain';

const TONES: Record<HostState, Tone> = {
  well: 'good',
  cordoned: 'plain',
  draining: 'accent',
  drained: 'plain',
  suspect: 'warn',
  pending: 'accent',
  waiting: 'warn',
  down: 'bad',
};

export function stateTone(state: HostState): Tone {
  return TONES[state];
}

export function stateWord(state: HostState): string {
  return t(state);
}

/** How much of a host is reserved, each in percent. */
export function reservedPercent(host: PoolHost): { cpus: string; memory: string } {
  return {
    cpus: percent(share(host.reserved.cpus, host.capacity.cpus)),
    memory: percent(share(host.reserved.memory, host.capacity.memory)),
  };
}

/** So much of so much; a unit that both have is told once. */
export function partOf(part: string, whole: string): string {
  const unit = /\u00a0\S+$/.exec(whole)?.[0] ?? '';
  const short = unit !== '' && part.endsWith(unit) ? part.slice(0, -unit.length) : part;
  return t('reservedOf', { part: short, whole });
}

/** A host in one sentence or two. */
export function hostWords(host: PoolHost, ghosts?: Ghosts): string {
  const { cpus, memory } = reservedPercent(host);
  const state =
    host.reason && host.state !== 'well' ? `${stateWord(host.state)}, ${inWords(host.reason)}` : stateWord(host.state);
  const told = t('described', { host: host.id, state, cpu: cpus, memory, n: host.containers });
  const coming = ghosts?.coming.get(host.id)?.length ?? 0;
  return coming > 0 ? `${told} ${t('wouldCome', { n: coming })}` : told;
}

/** A piece in lines: what it is, how it is, how large. */
export function pieceWords(piece: Piece, ghosts?: Ghosts): { title: string; state: string; size: string } {
  const title = piece.app === '' ? t('other') : t('slot', { app: piece.app, slot: piece.slot });
  const size = t('size', { cpus: cores(piece.size.cpus), memory: megabytes(piece.size.memory) });
  return { title, state: pieceState(piece, ghosts), size };
}

function pieceState(piece: Piece, ghosts?: Ghosts): string {
  const host = piece.host;
  if (ghosts?.homeless.has(piece.key)) return t('homeless');
  if (piece.key.startsWith('+')) return t('coming', { host });
  if (ghosts?.leaving.has(piece.key)) return t('leaving', { host });
  if (piece.app === '') return t('otherHint');
  return `${t(piece.state)} · ${t('on', { host })}`;
}
