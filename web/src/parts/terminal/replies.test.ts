import { expect, test } from 'vitest';
import { isReply, plainTitle } from './replies';

test.each([
  '\x1b[?1;2c',
  '\x1b[>0;276;0c',
  '\x1b[24;80R',
  '\x1b[?24;80R',
  '\x1b[0n',
  '\x1b[?2026;2$y',
  '\x1b[4;600;800t',
  '\x1b]10;rgb:ffff/ffff/ffff\x1b\\',
  '\x1b]11;rgb:0000/0000/0000\x07',
  '\x1bP1$r0m\x1b\\',
  '\x1b[24;80R\x1b[?1;2c',
])('%j is an answer of the screen', (data) => {
  expect(isReply(data)).toBe(true);
});

test.each([
  'a',
  '\r',
  '\x1b',
  '\x1b[A',
  '\x1b[1;5C',
  '\x1b[3~',
  '\x1bOP',
  '\x1b[<0;10;10M',
  '\x1b[200~ls\x1b[201~',
  '\x1b[I',
  'c',
  '中',
])('%j was typed', (data) => {
  expect(isReply(data)).toBe(false);
});

test('a title is text', () => {
  expect(plainTitle('vim notes.txt')).toBe('vim notes.txt');
  expect(plainTitle('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
  expect(plainTitle('a\u202egnp.exe\u0007b')).toBe('agnp.exeb');
  expect(plainTitle('x'.repeat(500)).length).toBe(80);
  expect(plainTitle('文件')).toBe('文件');
});
