/** What the pages say of a workspace: its state, what one may do with it, how much time is left. No drawing. */

import type { Phase, Save, Workspace } from './api';

export const TONES = {
  queued: 'warn',
  starting: 'accent',
  ready: 'good',
  idle: 'plain',
  paused: 'warn',
  saving: 'accent',
  saved: 'plain',
  ended: 'plain',
  failed: 'bad',
  unreachable: 'warn',
} as const;

export type Shown = keyof typeof TONES;

/** Its phase as it is shown: of one whose host does not answer nothing else is known. */
export function shownPhase(phase: Phase, isHostDown: boolean): Shown {
  const hasHost = isThere(phase) || phase === 'starting' || phase === 'failed';
  return isHostDown && hasHost ? 'unreachable' : phase;
}

/** Whether people can work in it. */
export function isUsable(phase: Phase): boolean {
  return phase === 'ready' || phase === 'idle';
}

/** Whether everything of it is there: people can work in it, or could if it did not stand still. */
export function isThere(phase: Phase): boolean {
  return isUsable(phase) || phase === 'paused';
}

/** Whether what people had open in it stays so: they can work in it, or will go on where they are. */
export function isKept(phase: Phase): boolean {
  return isThere(phase) || phase === 'saving';
}

/** Whether it runs or is on its way there: it can be stopped. */
export function isUp(phase: Phase): boolean {
  return phase === 'queued' || phase === 'starting' || isThere(phase);
}

export type Deed = 'start' | 'stop' | 'save' | 'extend' | 'reset' | 'share' | 'end';

/** What somebody with a right may do with a workspace in a phase. */
export function deeds({ phase, right }: Pick<Workspace, 'phase' | 'right'>): ReadonlySet<Deed> {
  const may = new Set<Deed>();
  if (right === 'viewer' || phase === 'ended') return may;
  if (isThere(phase)) may.add('save').add('extend');
  if (right !== 'owner') return may;
  if (phase === 'saved' || phase === 'failed') may.add('start');
  if (isUp(phase) || phase === 'failed') may.add('stop');
  if (isUsable(phase) || phase === 'saved' || phase === 'failed') may.add('reset');
  return may.add('share').add('end');
}

/** Whether what is said of a workspace asks its owner to delete saves. */
export function asksForRoom(message: string | undefined): boolean {
  return message?.includes('delete saves that are not needed any more') ?? false;
}

export type Ask = 'root' | 'egress' | 'privileged' | 'pids';

/** What was asked for beyond what everybody gets, of the controller's words for it; `text` where they are not known. */
export function asked(unconfined: readonly string[] | undefined): { ask: Ask | null; text: string }[] {
  return (unconfined ?? []).map((text) => ({ ask: ASKS.find(([, known]) => known.test(text))?.[0] ?? null, text }));
}

const ASKS: readonly (readonly [Ask, RegExp])[] = [
  ['root', /^root\b/],
  ['egress', /^connections /],
  ['privileged', /^privileged /],
  ['pids', /^\d+ processes /],
];

const SOON_MS = 10 * 60_000;
const NOW_MS = 2 * 60_000;

export interface Left {
  ms: number;
  /** Whether it ends because its time is over, or because nobody uses it. */
  why: 'time' | 'idle';
  tone: 'plain' | 'warn' | 'bad';
}

/** How long a workspace goes on, and what ends it; null if nothing does. */
export function left({ ends_at, idle_at }: Pick<Workspace, 'ends_at' | 'idle_at'>, now: number): Left | null {
  const ends = moment(ends_at);
  const idle = moment(idle_at);
  // An end by idleness goes away with the next keystroke: it is told only when it is near.
  const isIdle = idle !== null && idle - now <= SOON_MS && (ends === null || idle < ends);
  const at = isIdle ? idle : ends;
  if (at === null) return null;
  const ms = Math.max(0, at - now);
  return { ms, why: isIdle ? 'idle' : 'time', tone: ms <= NOW_MS ? 'bad' : ms <= SOON_MS ? 'warn' : 'plain' };
}

function moment(text: string | null | undefined): number | null {
  const at = Date.parse(text ?? '');
  return Number.isFinite(at) ? at : null;
}

/** A span as a clock shows it: `1:04:09`, `4:09`. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** The workspaces as a list shows them: those that need or hold somebody's attention first, then the newest. */
export function ordered(list: readonly Workspace[]): Workspace[] {
  const rank = ({ phase }: Workspace) => (phase === 'ended' ? 2 : phase === 'saved' ? 1 : 0);
  return [...list].sort((a, b) => rank(a) - rank(b) || Date.parse(b.created_at) - Date.parse(a.created_at));
}

/** Saves, the newest first. */
export function newestFirst(list: readonly Save[]): Save[] {
  return [...list].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
}

/** What is to be said of a list of workspaces. */
export function counts(list: readonly Workspace[]): { running: number; queued: number; saved: number } {
  const among = (...phases: Phase[]) => list.filter(({ phase }) => phases.includes(phase)).length;
  return {
    running: among('starting', 'ready', 'idle', 'paused', 'saving'),
    queued: among('queued'),
    saved: among('saved'),
  };
}

/** Workspaces by the ids of their containers. */
export function byContainer(all: readonly Workspace[]): ReadonlyMap<string, Workspace> {
  return new Map(all.flatMap((one) => one.containers.flatMap(({ id }) => (id ? [[id, one] as const] : []))));
}
