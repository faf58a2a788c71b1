import { describe, expect, test } from 'vitest';
import { after, before, readCast, shortened, withoutPauses } from './cast';

const HEADER = '{"env":{"TERM":"xterm-256color"},"height":24,"timestamp":5,"title":"sh in web","version":2,"width":80}';

describe('a recording', () => {
  test('is read line by line, with its sizes', () => {
    const cast = readCast(`${HEADER}\n[0.1, "o", "$ ls 猫"]\n[1.0, "r", "100x30"]\n[2.25, "o", "done"]\n`);
    expect(cast).toEqual({
      title: 'sh in web',
      columns: 80,
      rows: 24,
      moments: [
        { at: 0.1, what: { text: '$ ls 猫' } },
        { at: 1, what: { columns: 100, rows: 30 } },
        { at: 2.25, what: { text: 'done' } },
      ],
      entered: [],
      duration: 2.25,
      isCut: false,
    });
  });

  test('that breaks off says so, and half a line is left out', () => {
    const cast = readCast(`${HEADER}\n[3, "o", "a"]\n[2, "o", "b"]\n[4, "m", "truncated"]\n[5, "o", "ha`);
    expect(cast?.isCut).toBe(true);
    expect(cast?.moments.map((moment) => moment.at)).toEqual([3, 3]);
  });

  test('knows when a line was entered, and that it breaks off is something else', () => {
    const cast = readCast(`${HEADER}\n[1, "o", "$ "]\n[2, "m", ""]\n[30, "o", "x"]\n[31, "m", ""]\n[32, "o", "y"]`)!;
    expect([cast.entered, cast.isCut]).toEqual([[2, 31], false]);
    const short = withoutPauses(cast, 2);
    expect(short.moments.map((moment) => moment.at)).toEqual([1, 3, 5]);
    expect(short.entered).toEqual([2, 4]);
    for (const moment of cast.moments) {
      const at = short.moments[cast.moments.indexOf(moment)]?.at ?? -1;
      expect(shortened(cast, 2, moment.at)).toBeCloseTo(at);
    }
    expect(shortened(cast, 2, 20)).toBe(3);
  });

  test('is gone through from one moment to the next', () => {
    const moments = [2, 4, 9];
    expect([after(moments, 0), after(moments, 2), after(moments, 8.9), after(moments, 9)]).toEqual([
      2,
      4,
      9,
      undefined,
    ]);
    expect([before(moments, 9.7), before(moments, 9.2), before(moments, 4.2), before(moments, 2)]).toEqual([
      9,
      4,
      2,
      undefined,
    ]);
    expect(after([], 0)).toBe(undefined);
  });

  test.each([
    [''],
    ['<html>'],
    ['null'],
    ['{"version":1,"width":80,"height":24}'],
    ['{"version":2,"width":0,"height":24}'],
    ['{"version":2,"width":80,"height":1e9}'],
  ])('%j is none', (file) => {
    expect(readCast(file)).toBe(null);
  });

  test('that is odd is read as far as it can be', () => {
    const cast = readCast(
      `${HEADER}\n[1, "o"]\n{}\n[1, "r", "x"]\n[1, "r", "0x9999"]\n[1, "i", "typed"]\n[null, "o", "a"]`,
    );
    expect(cast?.moments).toEqual([]);
    expect(cast?.duration).toBe(0);
  });

  test('loses its long pauses, and nothing else', () => {
    const cast = readCast(`${HEADER}\n[1, "o", "a"]\n[1.5, "o", "b"]\n[100, "o", "c"]\n[101, "o", "d"]`)!;
    const short = withoutPauses(cast, 2);
    expect(short.moments.map((moment) => moment.at)).toEqual([1, 1.5, 3.5, 4.5]);
    expect(short.duration).toBe(4.5);
    expect(withoutPauses(cast, 1000).moments).toEqual(cast.moments);
  });
});
