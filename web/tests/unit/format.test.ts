import { beforeEach, describe, expect, test } from 'vitest';
import { bytes, cores, exact, megabytes, percent, rate, relative, short, span } from '../../src/lib/format';
import { language } from '../../src/lib/i18n.svelte';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('numbers', () => {
  beforeEach(() => language.choose('en'));

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1550, '1.6 kB'],
    [999_400, '999 kB'],
    [999_600, '1 MB'],
    [24e9, '24 GB'],
    [123.4e9, '123 GB'],
    [5e15, '5 PB'],
    [5e18, '5,000 PB'],
  ])('%d bytes', (value, text) => {
    expect(plain(bytes(value))).toBe(text);
  });

  test('sizes of the API are in MB, rates are a second', () => {
    expect(plain(megabytes(24105))).toBe('24.1 GB');
    expect(plain(rate(2500))).toBe('2.5 kB/s');
  });

  test('cores and shares', () => {
    expect([cores(0.1), cores(2), cores(12.345), cores(1234)]).toEqual(['0.1', '2', '12.3', '1,234']);
    expect([0, 0.004, 0.42, 1.5].map((share) => plain(percent(share)))).toEqual(['0 %', '0.4 %', '42 %', '150 %']);
  });

  test('ids are cut', () => {
    expect(short('714e01115f7642a9d2d9')).toBe('714e01115f76');
    expect(short('host-1')).toBe('host-1');
  });
});

describe('moments', () => {
  const now = Date.parse('2026-11-21T22:10:06Z');
  const ago = (seconds: number) => relative(now - seconds * 1000, now);

  test('in English', () => {
    language.choose('en');
    expect([0, 2, 3, 59, 60, 3599, 7200, 47 * 3600, 72 * 3600].map(ago)).toEqual([
      'just now',
      'just now',
      '3 s ago',
      '59 s ago',
      '1 min ago',
      '1 h ago',
      '2 h ago',
      '47 h ago',
      '3 d ago',
    ]);
    expect(ago(-300)).toBe('in 5 min');
    expect(exact('2026-11-21T22:10:06Z')).toMatch(/2026/);
  });

  test('in Chinese', () => {
    language.choose('zh');
    expect([ago(0), ago(300), ago(-300), span(3_600_000)]).toEqual(['刚刚', '5 分钟前', '5 分钟后', '1 小时']);
  });

  test('what is no moment is shown as it is', () => {
    expect([relative('never', now), exact('never')]).toEqual(['never', 'never']);
  });
});
