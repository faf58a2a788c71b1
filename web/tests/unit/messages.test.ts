import { describe, expect, test } from 'vitest';
import { fill, language, words, type Messages } from '../../src/lib/i18n.svelte';

const files = import.meta.glob<Record<string, unknown>>('../../src/messages/*.ts', { eager: true });

const isPair = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === 'string');
const isArea = (value: unknown): value is Messages =>
  typeof value === 'object' && value !== null && Object.values(value).every(isPair);

const all = Object.entries(files).flatMap(([file, exported]) =>
  Object.entries(exported)
    .filter(([, area]) => isArea(area))
    .flatMap(([name, area]) =>
      Object.entries(area as Messages).map(([key, pair]) => ({ where: `${file} ${name}.${key}`, pair })),
    ),
);

const names = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map((found) => found[1]))].sort();

describe('messages', () => {
  test('are there', () => {
    expect(all.length).toBeGreaterThan(100);
  });

  test('say something in both languages, with the same values', () => {
    const wrong = all.filter(({ pair: [en, zh] }) => {
      // Chinese has no plural, so a value that only chooses one may be missing.
      const chosen = [...en.matchAll(/\{(\w+)\|/g)].map((found) => found[1]);
      const wanted = names(en).filter((name) => !chosen.includes(name) || names(zh).includes(name));
      return en.trim() === '' || zh.trim() === '' || wanted.join() !== names(zh).join();
    });
    expect(wrong.map(({ where }) => where)).toEqual([]);
  });

  test('in Chinese are Chinese', () => {
    const same = all.filter(({ pair: [en, zh] }) => /[a-z]{4,} [a-z]{3,} [a-z]{2,}/i.test(zh) && en === zh);
    expect(same.map(({ where }) => where)).toEqual([]);
  });
});

describe('filling', () => {
  test('puts values in, and chooses by number', () => {
    expect(fill('{n} {n|host|hosts} of {pool}', { n: 1, pool: 'a' }, 'en')).toBe('1 host of a');
    expect(fill('{n} {n|host|hosts}', { n: 0 }, 'en')).toBe('0 hosts');
    expect(fill('{n} {n|host|hosts}', { n: 12345 }, 'en')).toBe('12,345 hosts');
    expect(fill('{n} 个{n||}', { n: 2 }, 'zh-CN')).toBe('2 个');
  });

  test('leaves alone what has no value, and takes values as they are', () => {
    expect(fill('{unknown} {name}', { name: '{unknown} $& <b>' }, 'en')).toBe('{unknown} {unknown} $& <b>');
  });

  test('follows the language', () => {
    const t = words({ hello: ['Hello {name}', '{name}，你好'] });
    language.choose('zh');
    expect(t('hello', { name: 'li' })).toBe('li，你好');
    language.choose('en');
    expect(t('hello', { name: 'li' })).toBe('Hello li');
  });
});
