import { describe, expect, test } from 'vitest';
import { lasted, stretches, type Health } from './health';

const HOUR = 3600_000;
const START = Date.parse('2026-11-21T08:00:00.000Z');
const NOW = START + 24 * HOUR;
const at = (hours: number) => new Date(START + hours * HOUR).toISOString();
const event = (type: string, hours: number) => ({ type, time: at(hours) });

function told(events: { type: string; time: string }[], status: Health = 'well', since = -48) {
  const found = stretches(events, START, NOW, status, START + since * HOUR);
  return found.map((one) => [(one.from - START) / HOUR, (one.to - START) / HOUR, one.health]);
}

describe('the health of a host over a day', () => {
  test('is one stretch if nothing was told', () => {
    expect(told([])).toEqual([[0, 24, 'well']]);
    expect(told([], 'down')).toEqual([[0, 24, 'down']]);
  });

  test('has the hours in which it was down, whatever the order of the events', () => {
    expect(told([event('engine-up', 12), event('cordon-engine', 11), event('engine-down', 10)])).toEqual([
      [0, 10, 'well'],
      [10, 12, 'down'],
      [12, 24, 'well'],
    ]);
  });

  test('begins as it must have been before the first event', () => {
    expect(told([event('engine-up', 3)])).toEqual([
      [0, 3, 'down'],
      [3, 24, 'well'],
    ]);
    expect(told([event('join-engine', 20)])).toEqual([
      [0, 20, 'unknown'],
      [20, 24, 'well'],
    ]);
  });

  test('takes a stumble of which nothing more was told as short', () => {
    for (const events of [[event('engine-suspect', 6)], [event('engine-suspect', 6), event('engine-down', 12)]]) {
      const [before, stumble, after] = stretches(events, START, NOW, 'well', NOW);
      expect([before!.health, stumble!.health, after!.health]).toEqual(['well', 'suspect', 'well']);
      expect(stumble!.to - stumble!.from).toBe(60_000);
    }
  });

  test('ends as it is now, although no event told of it', () => {
    expect(told([event('engine-down', 2), event('engine-up', 3)], 'down', 23)).toEqual([
      [0, 2, 'well'],
      [2, 3, 'down'],
      [3, 23, 'well'],
      [23, 24, 'down'],
    ]);
  });

  test('leaves no gap, and nothing outside the day', () => {
    const events = [event('engine-down', -2), event('engine-down', 5), event('engine-down', 6), event('engine-up', 30)];
    const found = stretches(events, START, NOW, 'down', START + 5 * HOUR);
    expect(found[0]!.from).toBe(START);
    expect(found.at(-1)!.to).toBe(NOW);
    for (const [index, one] of found.entries()) if (index > 0) expect(one.from).toBe(found[index - 1]!.to);
    expect(lasted(found, 'down')).toBe(19 * HOUR);
  });
});
