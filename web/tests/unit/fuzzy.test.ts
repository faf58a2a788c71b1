import { describe, expect, test } from 'vitest';
import { best, score } from '../../src/lib/fuzzy';

const find = (query: string, items: string[]) => best(query, items, (item) => item, 10);

describe('search', () => {
  test('finds by beginnings, words and parts, in this order, and by letters if there is nothing better', () => {
    const items = ['a wide bower', 'cobweb', 'my web shop', 'web'];
    expect(find('web', items)).toEqual(['web', 'my web shop', 'cobweb']);
    expect(find('wdbo', items)).toEqual(['a wide bower']);
  });

  test('wants every word, in any order', () => {
    expect(find('shop page', ['Page shop', 'shop', 'page'])).toEqual(['Page shop']);
  });

  test('knows Chinese', () => {
    expect(find('容器', ['应用', '容器', '终端'])).toEqual(['容器']);
  });

  test('does not find what is not there', () => {
    expect(score('xyz', 'web')).toBeNull();
    expect(score('bew', 'web')).toBeNull();
  });

  test('shows all in their order if nothing is typed, and no more than asked', () => {
    expect(find(' ', ['b', 'a'])).toEqual(['b', 'a']);
    expect(best('a', ['a1', 'a2', 'a3'], (item) => item, 2)).toHaveLength(2);
  });

  test('is quick with 5,000 names', () => {
    const items = Array.from({ length: 5000 }, (_, at) => `app-${at % 50}.${at}.3 host-${at % 200} container`);
    const begun = performance.now();
    expect(find('app 4711', items)[0]).toBe(items[4711]);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});
