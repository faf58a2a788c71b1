import { expect, test } from 'vitest';
import { changed, look, type PictureChange, written } from './picture';

const line = (text: string) => [{ t: text }];

function change(more: Partial<PictureChange>): PictureChange {
  return { terminal: 't', columns: 80, rows: 24, height: 3, whole: false, lines: [], ...more };
}

test('a picture begins whole, and then only rows that changed are other ones', () => {
  const first = changed(undefined, change({ whole: true, lines: [[0, line('one')]] }));
  expect(first).toEqual({ columns: 80, lines: [line('one'), [], []] });
  const second = changed(first, change({ lines: [[2, line('three')]] }));
  expect(second.lines).toEqual([line('one'), [], line('three')]);
  expect(second.lines[0]).toBe(first.lines[0]);
  expect(changed(second, change({ whole: true })).lines).toEqual([[], [], []]);
  expect(changed(second, change({ height: 1 })).lines).toEqual([line('one')]);
});

test('what has no place is left out', () => {
  const wild = change({ whole: true, height: 10_000, columns: 9_000, lines: [[9_999, line('x')]] });
  const picture = changed(undefined, wild);
  expect([picture.lines.length, picture.columns]).toEqual([50, 132]);
});

test('what is empty at the end of a screen takes no room', () => {
  const lines = [line('one'), [], [{ t: '  ', b: 1 }], line('   '), []];
  expect(written(lines)).toEqual(lines.slice(0, 3));
  expect([written([]), written([[], line(' ')])]).toEqual([[], []]);
});

test('a run has classes, and no style of its own', () => {
  expect(look({ t: 'x' })).toBe('');
  expect(look({ t: 'x', f: 1, b: 17, a: 5 })).toBe('f1 b17 bold underlined');
  expect(look({ t: 'x', f: 0, a: 2 })).toBe('f0 dim');
});
