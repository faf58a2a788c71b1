import { describe, expect, test } from 'vitest';
import { forField, isElsewhere, isUnderWay, namesIn, onTheWall, pointsOf, timesOf, urgency } from './work';

const due = { at: '2026-12-01T10:00:00.000Z', local: '2026-12-01T18:00:00+08:00' };

describe('deadlines', () => {
  test('look as on a clock where the course is given', () => {
    expect(onTheWall(due)).toBe('2026-12-01 18:00');
    expect(forField(due)).toBe('2026-12-01T18:00');
    expect([onTheWall(undefined), forField(null)]).toEqual(['', '']);
  });

  test('sessions name their day once', () => {
    const [starts, ends] = [due.local, '2026-12-01T19:30:00+08:00'];
    expect(timesOf({ starts, ends })).toBe('2026-12-01 18:00–19:30');
    expect(timesOf({ starts, ends: '2026-12-02T00:30:00+08:00' })).toBe('2026-12-01 18:00–2026-12-02 00:30');
  });

  test('say whether this browser shows another time', () => {
    const here = -new Date(due.at).getTimezoneOffset();
    const sign = here < 0 ? '-' : '+';
    const two = (n: number) => String(Math.abs(n)).padStart(2, '0');
    const offset = (minutes: number) =>
      `${sign}${two(Math.trunc(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
    expect(isElsewhere({ at: due.at, local: `2026-12-01T18:00:00${offset(here)}` })).toBe(false);
    expect(isElsewhere({ at: due.at, local: `2026-12-01T18:00:00${sign}13:37` })).toBe(true);
  });

  test('are urgent within a day', () => {
    const at = Date.parse(due.at);
    expect(urgency(due, at + 1)).toBe('past');
    expect(urgency(due, at - 3_600_000)).toBe('soon');
    expect(urgency(due, at - 25 * 3_600_000)).toBe('later');
    expect(urgency(null, at)).toBe('never');
  });
});

describe('what is typed', () => {
  test('names are told apart however they are pasted', () => {
    expect(namesIn('li, wang\n\nzhao;li\t chen ')).toEqual(['li', 'wang', 'zhao', 'chen']);
    expect(namesIn('  ')).toEqual([]);
  });

  test('points may be left out, and have either decimal mark', () => {
    expect([pointsOf(''), pointsOf('4.5'), pointsOf('4,5'), pointsOf('good')]).toEqual([null, 4.5, 4.5, undefined]);
  });
});

test('work is under way until it is complete or failed', () => {
  expect((['asked', 'saving', 'checking', 'complete', 'failed'] as const).filter(isUnderWay)).toEqual([
    'asked',
    'saving',
    'checking',
  ]);
});
