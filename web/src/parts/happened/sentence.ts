/** An event as a sentence, and many of the same as one. What has no sentence of its own is told in the controller's words. */
import type { Schemas } from '../../lib/api';
import { fill, language } from '../../lib/i18n.svelte';
import { inWords } from '../../lib/said';
import { happened } from '../../messages/happened';

type Event = Pick<Schemas['EventView'], 'type' | 'message' | 'app' | 'actor'> & {
  engine?: { id: string } | null | undefined;
};

/** The parts of a message such as `app=web, slot=1, reason=host a is down: refused, twice`. */
export function partsOf(message: string): Record<string, string> {
  const parts: Record<string, string> = {};
  let last = '';
  // Those about log-ins stand without commas.
  const isPlain = /^[a-z_]+=\S+(?: [a-z_]+=\S+)+$/.test(message) && !message.includes(', ');
  for (const piece of message.split(isPlain ? ' ' : ', ')) {
    const found = /^([A-Za-z_]+)=(.*)$/s.exec(piece);
    if (found) {
      last = found[1] as string;
      parts[last] = found[2] as string;
    } else if (last === '') {
      parts.rest = parts.rest ? `${parts.rest}, ${piece}` : piece;
    } else {
      // A comma within a value.
      parts[last] += `, ${piece}`;
    }
  }
  return parts;
}

const REASONS: readonly [form: RegExp, key: keyof typeof happened][] = [
  [/^host (\S+) is down/, 'reasonDown'],
  [/^host (\S+) is drained/, 'reasonDrained'],
  [/^host (\S+) is not in the pool/, 'reasonGone'],
  [/^the load of the hosts is evened out/, 'reasonEven'],
  [/^its description changed/, 'reasonChanged'],
  [/^its container was removed from host (\S+)/, 'reasonRemoved'],
  [/^the change of its description was taken back/, 'reasonTakenBack'],
];

/** Why a slot got another place, in short: what is wrong with a host is told by an event of its own. */
function reasonWords(reason: string): string {
  for (const [form, key] of REASONS) {
    const found = form.exec(reason);
    if (found) return say(key, { host: found[1] ?? '' });
  }
  return inWords(reason);
}

function say(key: keyof typeof happened, values: Record<string, string | number>): string {
  return fill(happened[key][language.current === 'zh' ? 1 : 0], values, language.locale);
}

const LONG_ID = /\b[0-9a-f]{64}\b/g;
const ID_LENGTH = 12;

/** A sentence in the language of the moment; long ids are cut short in it. */
export function sentence(event: Event): string {
  return told(event).replace(LONG_ID, (id) => id.slice(0, ID_LENGTH));
}

function told(event: Event): string {
  const parts = partsOf(event.message);
  const isSame = event.type === 'place-slot' && parts.from === parts.to;
  const key = (isSame ? 'replaced-slot' : event.type) as keyof typeof happened;
  const pair = Object.hasOwn(happened, key) ? happened[key] : undefined;
  if (!pair || key === ('itself' as string))
    return event.message === '' ? event.type : `${event.type}: ${event.message}`;
  const at = language.current === 'zh' ? 1 : 0;
  const values: Record<string, string> = {
    ...parts,
    who: event.actor ?? happened.itself[at],
    app: event.app ?? parts.app ?? '',
    engine: event.engine?.id ?? parts.id ?? '',
    rest: parts.rest ?? event.message,
    count: parts.count ?? '1',
    what: inWords(parts.what ?? ''),
    why: inWords(parts.why ?? ''),
    reason: event.type === 'place-slot' ? reasonWords(parts.reason ?? '') : inWords(parts.reason ?? event.message),
  };
  return fill(pair[at], values, language.locale);
}

/** Where an event leads: to its app or else its host. */
export function placeOf(event: Event): string | undefined {
  if (event.app && event.type !== 'delete-app') return `/apps/${encodeURIComponent(event.app)}`;
  if (event.engine && event.type !== 'delete-engine') return `/hosts/${encodeURIComponent(event.engine.id)}`;
  return undefined;
}

const BAD = new Set(['engine-down', 'freeze-cluster', 'backup-failed', 'agent-refused', 'save-registry-away']);

/** Whether somebody should notice it. */
export function isBad(event: Pick<Event, 'type'>): boolean {
  return BAD.has(event.type);
}

/** Events that are told in one line. */
export interface Told<E extends Event> {
  /** The newest of them. */
  event: E;
  count: number;
  text: string;
}

/** Slots that moved off the same host within so long are told as one. */
const TOGETHER_MS = 60_000;

/** Events, the newest first, as lines: moves off one host become one line. */
export function lines<E extends Event & { id: string; time: string }>(events: readonly E[]): Told<E>[] {
  const found: Told<E>[] = [];
  const open = new Map<string, Told<E>>();
  for (const event of events) {
    const { from, to, reason } = event.type === 'place-slot' ? partsOf(event.message) : {};
    const key = from !== undefined && from !== to ? `${from} ${reason}` : undefined;
    const before = key === undefined ? undefined : open.get(key);
    if (before && Date.parse(before.event.time) - Date.parse(event.time) <= TOGETHER_MS) {
      before.count += 1;
      before.text = say('moved', { n: before.count, from: from ?? '', reason: reasonWords(reason ?? '') });
      continue;
    }
    const told = { event, count: 1, text: sentence(event) };
    found.push(told);
    if (key !== undefined) open.set(key, told);
  }
  return found;
}
