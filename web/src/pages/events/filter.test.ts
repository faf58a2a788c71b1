import { describe, expect, test } from 'vitest';
import type { Event } from '../../lib/live.svelte';
import { asked, cursorOf, filterOf, isNewDay, isWanted, joined } from './filter';

const event = (id: string, more: Partial<Event> = {}): Event => ({
  id,
  type: 'run-container',
  time: '2026-01-01T10:00:00.000Z',
  message: '',
  tags: ['cluster'],
  ...more,
});
const container = { id: '714e01115f76', name: '/web.0.1' } as NonNullable<Event['container']>;
const engine = { id: 'h1' } as NonNullable<Event['engine']>;

test('an address has a filter among other things', () => {
  expect(filterOf({ app: ' web ', type: '', filter: 'x', since: '1h' })).toEqual({ app: 'web', since: '1h' });
});

describe('a moment', () => {
  test('without a zone is of here', () => {
    const here = new Date('2026-11-21T22:10').toISOString();
    expect(asked({ app: 'web', since: '2026-11-21 22:10' })).toEqual({ app: 'web', since: here });
    expect(asked({ until: '2026-11-21' })).toEqual({ until: new Date('2026-11-21T00:00').toISOString() });
  });

  test.each(['10m', '1795299006', '2026-11-21T22:10:06Z', '2026-13-45 99:99', 'soon'])('%s is for the API', (since) => {
    expect(asked({ since })).toEqual({ since });
  });
});

describe('an event that comes by itself', () => {
  const full = event('1', { app: 'web', actor: 'ann', container, engine });

  test.each([
    {},
    { type: 'run-container' },
    { app: 'web', actor: 'ann' },
    { engine: 'h1' },
    { container: '714e' },
    { container: 'web.0.1' },
    { container: '/web.0.1' },
    { tag: 'Cluster' },
    { since: '1h' },
  ])('is wanted by %j', (filter) => {
    expect(isWanted(full, filter)).toBe(true);
  });

  test.each([
    { type: 'run' },
    { app: 'we' },
    { actor: 'bob' },
    { engine: 'h2' },
    { container: 'web' },
    { tag: 'security' },
    { until: '1h' },
    { app: 'web', actor: 'bob' },
  ])('is not by %j', (filter) => {
    expect(isWanted(full, filter)).toBe(false);
  });

  test('about nothing is not about anything', () => {
    expect(isWanted(event('1'), { container: '7' })).toBe(false);
    expect(isWanted(event('1'), { engine: 'h1' })).toBe(false);
  });
});

test('the next part is where the header says', () => {
  expect(cursorOf('</api/events?app=web&limit=200&cursor=AbC%3D>; rel="next"')).toBe('AbC=');
  expect(cursorOf('</api/events?limit=2>; rel="prev"')).toBeNull();
  expect(cursorOf(null)).toBeNull();
});

test('each is there once, the newest first, and not too many', () => {
  const list = (...ids: string[]) => ids.map((id) => event(id));
  expect(joined(list('5', '4'), list('4', '3', '2'), 10).map(({ id }) => id)).toEqual(['5', '4', '3', '2']);
  expect(joined(list('5'), list('4', '3'), 2).map(({ id }) => id)).toEqual(['5', '4']);
});

test('days are told apart', () => {
  const at = (time: string) => event('1', { time });
  expect(isNewDay(at('2026-01-02T12:00:00Z'), undefined)).toBe(true);
  expect(isNewDay(at('2026-01-02T12:00:00Z'), at('2026-01-02T12:30:00Z'))).toBe(false);
  expect(isNewDay(at('2026-01-01T12:00:00Z'), at('2026-01-02T12:00:00Z'))).toBe(true);
});
