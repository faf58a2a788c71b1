/** How a host was over time, read from the events of its health. */
import type { Schemas } from '../../lib/api';

export type Health = 'well' | 'suspect' | 'down' | 'unknown';

/** A stretch of time; moments in milliseconds since 1970. */
export interface Stretch {
  from: number;
  to: number;
  health: Health;
}

type Told = Pick<Schemas['EventView'], 'type' | 'time'>;

/** What an event says of the time after it, and before. */
const AFTER: Record<string, Health> = {
  'engine-down': 'down',
  'engine-suspect': 'suspect',
  'engine-up': 'well',
  'add-engine': 'well',
  'join-engine': 'well',
};
const BEFORE: Record<string, Health> = {
  'engine-up': 'down',
  'engine-suspect': 'well',
  'engine-down': 'well',
  'add-engine': 'unknown',
  'join-engine': 'unknown',
};

/** A stumble of which nothing more was told was over soon. */
const SUSPECT_MS = 60_000;

/**
 * Stretches from `since` to `now` without gaps, oldest first. `status` is the health of now, since `at`. Events may come in
 * any order; those that say nothing of health are passed over.
 */
export function stretches(events: readonly Told[], since: number, now: number, status: Health, at: number): Stretch[] {
  const told = events
    .filter((event) => AFTER[event.type] !== undefined)
    .map((event) => ({ type: event.type, at: Date.parse(event.time) }))
    .filter((event) => event.at >= since && event.at <= now)
    .sort((one, two) => one.at - two.at);
  const found: Stretch[] = [];
  const add = (from: number, to: number, health: Health) => {
    const last = found.at(-1);
    if (to <= from) return;
    if (last && last.health === health) last.to = to;
    else found.push({ from, to, health });
  };
  const first = told[0];
  let health: Health = first ? (BEFORE[first.type] as Health) : at <= since ? status : 'well';
  let from = since;
  for (const event of told) {
    const until = health === 'suspect' ? Math.min(event.at, from + SUSPECT_MS) : event.at;
    add(from, until, health);
    add(until, event.at, 'well');
    health = AFTER[event.type] as Health;
    from = event.at;
  }
  // What is so now is known better than by events: one may have been left out, or told of another controller.
  if (health !== status) {
    const stumbled = health === 'suspect' ? Math.min(from + SUSPECT_MS, now) : from;
    add(from, stumbled, health);
    const turned = Math.max(stumbled, Math.min(now, at));
    add(stumbled, turned, health === 'suspect' ? 'well' : health);
    add(turned, now, status);
  } else add(from, now, health);
  return found;
}

/** How long it was so, in milliseconds. */
export function lasted(found: readonly Stretch[], health: Health): number {
  return found.filter((one) => one.health === health).reduce((sum, one) => sum + one.to - one.from, 0);
}
