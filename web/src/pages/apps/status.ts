/** What an app does, as a word and as sentences; what a slot does, as a word. */
import type { Schemas } from '../../lib/api';
import { language, words } from '../../lib/i18n.svelte';
import { inWords } from '../../lib/said';
import { apps } from '../../messages/apps';

type App = Pick<Schemas['AppView'], 'replicas' | 'running' | 'slots' | 'message'>;
type Slot = Schemas['SlotView'];
export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'plain';

const t = words(apps);

/** Sentences one after another; Chinese ones stand without a space. */
export function sentences(...told: string[]): string {
  return told.filter(Boolean).join(language.current === 'zh' ? '' : ' ');
}

/** How many slots are in which state, of those that shall run. */
export interface Tally {
  wanted: number;
  serving: number;
  waiting: number;
  starting: number;
  lost: number;
  done: number;
  failed: number;
  stopped: number;
}

export function tally(app: App): Tally {
  const count = (state: string) => app.slots.filter((slot) => slot.state === state).length;
  const stopped = app.slots.filter((slot) => slot.wish === 'stopped').length;
  const done = count('done');
  return {
    wanted: Math.max(0, app.slots.length - stopped - done - count('removing')),
    serving: app.running,
    waiting: app.slots.filter((slot) => slot.state === 'waiting' && slot.wish === 'running').length,
    starting: count('starting'),
    lost: count('lost'),
    done,
    failed: count('failed'),
    stopped,
  };
}

/** An app's state as a badge. `isTrouble` if somebody should look at it. */
export interface AppState {
  tone: Tone;
  word: string;
  isTrouble: boolean;
}

export function appState(app: App): AppState {
  const { wanted, serving, waiting, starting, lost, done, failed, stopped } = tally(app);
  const well = (word: string, tone: Tone = 'good'): AppState => ({ tone, word, isTrouble: false });
  if (app.slots.length === 0) return well(t('none'), 'plain');
  if (failed > 0) return { tone: 'bad', word: t('failing'), isTrouble: true };
  if (wanted === 0) return done > 0 ? well(t('finished')) : well(t('stopped'), 'plain');
  if (serving >= wanted) {
    if (isChanging(app)) return well(t('changing'), 'accent');
    return stopped > 0 ? well(t('servingPart', { n: serving, all: app.slots.length })) : well(t('serving'));
  }
  const some = t('servingPart', { n: serving, all: wanted });
  const missing = lost > 0 ? t('lost') : waiting > 0 ? t('waits') : t('starting');
  if (serving === 0 && (lost > 0 || waiting > 0)) return { tone: 'bad', word: missing, isTrouble: true };
  if (lost > 0 || waiting > 0) return { tone: 'warn', word: some, isTrouble: true };
  return { tone: 'accent', word: starting > 0 && serving === 0 ? missing : some, isTrouble: false };
}

/** Whether a changed description is on its way: some slots are of another version than the newest among them. */
function isChanging(app: App): boolean {
  const versions = new Set(app.slots.map((slot) => slot.version).filter((version) => version != null));
  return versions.size > 1;
}

/** An app's state in sentences. */
export function appSentence(app: App): string {
  const { wanted, serving, waiting, starting, lost, done, failed } = tally(app);
  if (app.slots.length === 0) return t('isNone');
  const told: string[] = [];
  if (wanted === 0 && failed === 0) told.push(done > 0 ? t('isFinished') : t('isStopped'));
  else if (failed > 0) told.push(t('hasFailed', { n: failed, all: app.slots.length }));
  if (wanted > failed) {
    if (serving >= wanted - failed && serving > 0) told.push(t('isServing', { n: serving }));
    else if (serving > 0) told.push(t('isServingPart', { n: serving, all: wanted }));
    else told.push(t('isDown', { all: wanted }));
  }
  if (waiting > 0) told.push(t('andWaits', { n: waiting }));
  if (starting > 0) told.push(t('andStarts', { n: starting }));
  if (lost > 0) told.push(t('andLost', { n: lost }));
  return sentences(...told);
}

const TAKEN_BACK = 'the last change of the description was taken back: ';

/** What the API tells of a change of the description that is under way, or was taken back. */
export function changeWords(message: string): string {
  if (message.startsWith('a changed description is on its way')) return t('isChanging');
  if (message.startsWith(TAKEN_BACK)) return t('wasTakenBack', { reason: inWords(message.slice(TAKEN_BACK.length)) });
  return inWords(message);
}

const SLOTS = {
  running: ['slotRunning', 'good'],
  waiting: ['slotWaiting', 'warn'],
  starting: ['slotStarting', 'accent'],
  stopped: ['slotStopped', 'plain'],
  done: ['slotDone', 'good'],
  failed: ['slotFailed', 'bad'],
  lost: ['slotLost', 'bad'],
  removing: ['slotRemoving', 'plain'],
} as const;

/** A slot's state as a badge. */
export function slotState(slot: Pick<Slot, 'state'>): { tone: Tone; word: string } {
  const known = SLOTS[slot.state as keyof typeof SLOTS];
  return known ? { tone: known[1], word: t(known[0]) } : { tone: 'plain', word: slot.state };
}

/** The hosts that have something of an app, in the order of their names. */
export function hostsOf(app: Pick<App, 'slots'>): string[] {
  const ids = app.slots.map((slot) => slot.engine).filter((id): id is string => !!id);
  return [...new Set(ids)].sort();
}
