/** Which events are wanted: as the address says it, as the API takes it, and of those that come by themselves. */

import type { Event } from '../../lib/live.svelte';

export const FIELDS = ['type', 'tag', 'app', 'engine', 'container', 'actor', 'since', 'until'] as const;
export type FilterField = (typeof FIELDS)[number];
export type Filter = Partial<Record<FilterField, string>>;

/** The filter in an address; other values of it are left alone. */
export function filterOf(query: Readonly<Record<string, string>>): Filter {
  const filter: Filter = {};
  for (const field of FIELDS) {
    const value = query[field]?.trim();
    if (value) filter[field] = value;
  }
  return filter;
}

const LOCAL = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?$/;

/** The filter as the API takes it: a moment without a zone is one of the browser's. */
export function asked(filter: Filter): Filter {
  const moment = (text: string | undefined) => {
    const local = LOCAL.exec(text ?? '');
    if (!local) return text;
    const at = new Date(`${local[1]}T${local[2] ?? '00:00'}`);
    return Number.isNaN(at.getTime()) ? text : at.toISOString();
  };
  const { since, until, ...rest } = filter;
  return {
    ...rest,
    ...(since === undefined ? {} : { since: moment(since) ?? since }),
    ...(until === undefined ? {} : { until: moment(until) ?? until }),
  };
}

/** Whether an event that comes now is wanted; the API decides so of those of the past. */
export function isWanted(event: Event, filter: Filter): boolean {
  if (filter.until) return false;
  const container = event.container;
  const name = container?.name.replace(/^\//, '');
  return (
    is(event.type, filter.type) &&
    is(event.app, filter.app) &&
    is(event.engine?.id, filter.engine) &&
    is(event.actor, filter.actor) &&
    (!filter.tag || event.tags.some((tag) => tag.toLowerCase() === filter.tag?.toLowerCase())) &&
    (!filter.container ||
      (container !== null &&
        container !== undefined &&
        (container.id.startsWith(filter.container) || name === filter.container.replace(/^\//, ''))))
  );
}

function is(value: string | null | undefined, wanted: string | undefined): boolean {
  return !wanted || value === wanted;
}

/** The cursor of the next part, from the `Link` header of the one before. */
export function cursorOf(link: string | null): string | null {
  const found = /<[^>]*[?&]cursor=([^&>]+)[^>]*>;\s*rel="?next"?/.exec(link ?? '');
  return found ? decodeURIComponent(found[1] ?? '') : null;
}

/** Newer events before older ones, each once, and not more than are kept. */
export function joined(newer: readonly Event[], older: readonly Event[], most: number): Event[] {
  const seen = new Set<string>();
  const all = [...newer, ...older].filter(({ id }) => !seen.has(id) && seen.add(id));
  return all.slice(0, most);
}

/** Whether an event is of another day than the one before it in a list. */
export function isNewDay(event: Event, before: Event | undefined): boolean {
  return before === undefined || new Date(event.time).toDateString() !== new Date(before.time).toDateString();
}
