import { describe, expect, test } from 'vitest';
import { found, LogBook, parted, written } from './book';

const stamp = (second: number, nanos = 0) =>
  `2026-01-01T00:00:${String(second).padStart(2, '0')}.${String(nanos).padStart(9, '0')}Z`;
const texts = (book: LogBook) => book.lines.map((line) => line.text);

describe('lines', () => {
  test('have their moment before them', () => {
    expect(parted(`${stamp(5)} hello  there`)).toEqual({ at: stamp(5), raw: 'hello  there' });
    expect(parted('2026-01-01T00:00:00Z ')).toEqual({ at: '2026-01-01T00:00:00Z', raw: '' });
    expect(parted('no moment')).toEqual({ at: '', raw: 'no moment' });
  });

  test('of several sources stand in the order of their moments', () => {
    const book = new LogBook();
    book.add(0, [`${stamp(1)} a1`, `${stamp(4)} a4`, `${stamp(9)} a9`]);
    book.add(1, [`${stamp(2)} b2`, `${stamp(4)} b4`, `${stamp(8)} b8`]);
    book.add(2, [`${stamp(0)} c0`]);
    book.add(0, [`${stamp(10)} a10`]);
    expect(texts(book)).toEqual(['c0', 'a1', 'b2', 'a4', 'b4', 'b8', 'a9', 'a10']);
    expect(book.lines.map((line) => line.source)).toEqual([2, 0, 1, 0, 1, 1, 0, 0]);
    expect(new Set(book.lines.map((line) => line.id)).size).toBe(8);
  });

  test('of one moment stay in the order in which they came', () => {
    const book = new LogBook();
    book.add(0, [`${stamp(1)} first`, `${stamp(1)} second`]);
    book.add(0, [`${stamp(1)} third`]);
    expect(texts(book)).toEqual(['first', 'second', 'third']);
  });

  test('without a moment stand where they came', () => {
    const book = new LogBook();
    book.add(0, ['a', 'b']);
    book.add(1, ['c']);
    expect(texts(book)).toEqual(['a', 'b', 'c']);
  });

  test('in any order come out in order', () => {
    let seed = 5;
    const below = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most;
    const book = new LogBook();
    const clocks = [0, 0, 0];
    for (let round = 0; round < 200; round += 1) {
      const source = below(3);
      const lines = Array.from({ length: below(4) }, () => {
        clocks[source] = (clocks[source] ?? 0) + below(40_000_000);
        const all = clocks[source] ?? 0;
        return `${stamp(Math.floor(all / 1e9), all % 1e9)} x`;
      });
      book.add(source, lines);
    }
    const moments = book.lines.map((line) => line.at);
    expect(moments).toEqual([...moments].sort());
  });

  test('are kept up to a bound, and those that went are counted', () => {
    const book = new LogBook(10);
    for (let at = 0; at < 25; at += 1) book.add(0, [`${stamp(at)} ${at}`]);
    expect(texts(book)).toEqual(Array.from({ length: 10 }, (_, at) => String(at + 15)));
    expect(book.dropped).toBe(15);
  });

  test('a hundred thousand take a moment', () => {
    const book = new LogBook();
    const begun = performance.now();
    for (let round = 0; round < 120; round += 1) {
      const of = (name: string, nanos: number) =>
        Array.from({ length: 500 }, (_, at) => `${stamp(round % 60, at * 1000 + nanos)} ${name} ${at}`);
      book.add(0, of('a', 0));
      book.add(1, of('b', 7));
    }
    expect(book.lines.length).toBeLessThanOrEqual(105_000);
    expect(performance.now() - begun).toBeLessThan(30_000);
  }, 60_000);
});

describe('what is seen of them', () => {
  test('a gap stands behind the newest line of its source', () => {
    const book = new LogBook();
    book.add(0, [`${stamp(1)} a`]);
    book.add(1, [`${stamp(5)} b`]);
    book.mark(0, 'reconnected');
    book.add(0, [`${stamp(3)} c`]);
    expect(book.lines.map((line) => line.gap ?? line.text)).toEqual(['a', 'reconnected', 'c', 'b']);
  });

  test('a text is found whatever the case and the colours', () => {
    const book = new LogBook();
    book.add(0, ['Error: no', 'fine', '\x1b[31mER\x1b[0mROR', 'terror']);
    expect(found(book.lines, 'error')).toEqual([0, 2, 3]);
    expect(found(book.lines, '')).toEqual([]);
    expect(found(book.lines, 'Err.r')).toEqual([]);
  });

  test('they are written as they are wanted', () => {
    const book = new LogBook();
    book.add(0, [`${stamp(1)} \x1b[1ma\x1b[0m`]);
    book.mark(0, 'reconnected');
    book.add(1, [`${stamp(2)} b`]);
    expect(written(book.lines, ['web.0', 'web.1'], true)).toBe(`${stamp(1)} web.0 a\n${stamp(2)} web.1 b\n`);
    expect(written(book.lines, ['web.0'], false)).toBe('a\nb\n');
    book.clear();
    expect(book.lines).toEqual([]);
  });
});
