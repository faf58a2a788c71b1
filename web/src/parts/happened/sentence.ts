/** An event as a sentence. What has no sentence of its own is told in the controller's words. */
import type { Schemas } from '../../lib/api';
import { fill, language } from '../../lib/i18n.svelte';
import { happened } from '../../messages/happened';

type Event = Pick<Schemas['EventView'], 'type' | 'message' | 'app' | 'actor'> & {
  engine?: { id: string } | null | undefined;
};

/** The parts of a message such as `app=web, slot=1, reason=host a is down: refused, twice`. */
export function partsOf(message: string): Record<string, string> {
  const parts: Record<string, string> = {};
  let last = '';
  for (const piece of message.split(', ')) {
    const found = /^([a-z_]+)=(.*)$/s.exec(piece);
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

/** A sentence in the language of the moment. */
export function sentence(event: Event): string {
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
    reason: parts.reason ?? event.message,
  };
  return fill(pair[at], values, language.locale);
}

/** Where an event leads: to its app or else its host. */
export function placeOf(event: Event): string | undefined {
  if (event.app && event.type !== 'delete-app') return `/apps/${encodeURIComponent(event.app)}`;
  if (event.engine && event.type !== 'delete-engine') return `/hosts/${encodeURIComponent(event.engine.id)}`;
  return undefined;
}

const BAD = new Set(['engine-down', 'freeze-cluster', 'backup-failed', 'agent-refused']);

/** Whether somebody should notice it. */
export function isBad(event: Pick<Event, 'type'>): boolean {
  return BAD.has(event.type);
}
