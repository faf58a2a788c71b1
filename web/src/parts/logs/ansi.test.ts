import { describe, expect, test } from 'vitest';
import { plain, runs } from './ansi';

const looks = (line: string) => runs(line).map(({ text, look }) => [text, look]);

describe('colours', () => {
  test('of plain lines are none', () => {
    expect(looks('GET / 200')).toEqual([['GET / 200', {}]]);
    expect(looks('')).toEqual([]);
  });

  test('are switched on and off', () => {
    expect(looks('a\x1b[1;31mb\x1b[22mc\x1b[0md')).toEqual([
      ['a', {}],
      ['b', { isBold: true, fore: 1 }],
      ['c', { fore: 1 }],
      ['d', {}],
    ]);
    expect(looks('\x1b[92;44;3;4;9;7mx\x1b[mz')).toEqual([
      ['x', { fore: 10, back: 4, isItalic: true, isUnderlined: true, isStruck: true, isInverse: true }],
      ['z', {}],
    ]);
    expect(looks('\x1b[7;2mx\x1b[27;22;39;49my')).toEqual([
      ['x', { isInverse: true, isDim: true }],
      ['y', {}],
    ]);
  });

  test('may be of 256 or any', () => {
    expect(looks('\x1b[38;5;9ma')).toEqual([['a', { fore: 9 }]]);
    expect(looks('\x1b[38;5;208;1ma')).toEqual([['a', { fore: '#ff8700', isBold: true }]]);
    expect(looks('\x1b[48;5;255ma')).toEqual([['a', { back: '#eeeeee' }]]);
    expect(looks('\x1b[38;2;1;2;255;4ma')).toEqual([['a', { fore: '#0102ff', isUnderlined: true }]]);
    expect(looks('\x1b[38:2:1:2:3ma')).toEqual([['a', { fore: '#010203' }]]);
  });

  test.each([
    '\x1b[38ma',
    '\x1b[38;5ma',
    '\x1b[38;5;999ma',
    '\x1b[38;2;1;2ma',
    '\x1b[38;2;300;0;0ma',
    '\x1b[999ma',
    '\x1b[;;ma',
  ])('%j has none', (line) => {
    expect(looks(line)).toEqual([['a', {}]]);
  });
});

describe('what is not text', () => {
  test.each([
    ['\x1b]0;title\x07a', 'a'],
    ['\x1b]52;c;ZXZpbA==\x1b\\a', 'a'],
    ['\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07', 'click'],
    ['a\x1b[2K\x1b[1;1Hb', 'ab'],
    ['a\x1b[?25lb', 'ab'],
    ['a\x1b[>4;1mb', 'ab'],
    ['a\x07\x08\x00b\x9b', 'ab'],
    ['a\tb', 'a    b'],
    ['10 %\r50 %\r100 %', '100 %'],
    ['line\r', 'line'],
    ['\x1b(Bx\x1bMy', 'xy'],
    ['\x1bP1;2qdata\x1b\\after', 'after'],
    ['cut \x1b[3', 'cut [3'],
    ['<b onclick=x>&amp;', '<b onclick=x>&amp;'],
  ])('%j is left out', (line, text) => {
    expect(plain(line)).toBe(text);
    expect(
      runs(line)
        .map((run) => run.text)
        .join(''),
    ).toBe(text);
  });

  test('nothing hostile takes long', () => {
    const line = `${'\x1b[1;'.repeat(20_000)}${'\x1b]'.repeat(20_000)}x`;
    const begun = performance.now();
    runs(line);
    plain(line);
    expect(performance.now() - begun).toBeLessThan(20_000);
  }, 60_000);
});
