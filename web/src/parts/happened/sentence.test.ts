import { beforeEach, describe, expect, test } from 'vitest';
import { language } from '../../lib/i18n.svelte';
import { happened } from '../../messages/happened';
import { isBad, partsOf, placeOf, sentence } from './sentence';

beforeEach(() => language.choose('en'));

describe('the parts of a message', () => {
  test.each([
    ['app=web, count=5', { app: 'web', count: '5' }],
    ['id=h3, reason=refused, twice, a=b', { id: 'h3', reason: 'refused, twice', a: 'b' }],
    ['id=h3, it answers again after 12 s', { id: 'h3, it answers again after 12 s' }],
    ['the load, as it is', { rest: 'the load, as it is' }],
    ['', { rest: '' }],
  ])('%j', (message, parts) => {
    expect(partsOf(message)).toEqual(parts);
  });
});

describe('an event', () => {
  test.each([
    [{ type: 'scale-container', message: 'app=web, count=5', app: 'web', actor: 'li' }, 'li scaled web to 5'],
    [{ type: 'run-container', message: 'name=httpd:2.4, app=web, count=3', app: 'web' }, 'Pierhead ran 3 of web'],
    [
      { type: 'engine-down', message: 'id=h3, reason=Connection refused (os error 111)', engine: { id: 'h3' } },
      'h3 is down: Connection refused (os error 111)',
    ],
    [
      { type: 'place-slot', message: 'app=web, slot=1, from=h3, to=h1, reason=host h3 is down: refused', app: 'web' },
      'web, slot 1: h3 → h1, host h3 is down: refused',
    ],
    [
      { type: 'place-slot', message: 'app=web, slot=1, from=h1, to=h1, reason=its description changed', app: 'web' },
      'web, slot 1: a new container on h1, its description changed',
    ],
    [{ type: 'toString', message: 'x=1' }, 'toString: x=1'],
    [{ type: 'itself', message: 'x' }, 'itself: x'],
    [{ type: 'unheard-of', message: '' }, 'unheard-of'],
  ])('%# as a sentence', (event, told) => {
    expect(sentence(event)).toBe(told);
  });

  test('is told in Chinese, too', () => {
    language.choose('zh');
    const event = { type: 'scale-container', message: 'app=web, count=5', app: 'web', actor: 'li' };
    expect(sentence(event)).toBe('li 将 web 调整为 5 个副本');
  });

  test('leads to its app, or else to its host, unless that is gone', () => {
    const engine = { id: 'h/3' };
    expect(placeOf({ type: 'place-slot', message: '', app: 'web', engine })).toBe('/apps/web');
    expect(placeOf({ type: 'engine-up', message: '', engine })).toBe('/hosts/h%2F3');
    expect(placeOf({ type: 'delete-app', message: '', app: 'web' })).toBeUndefined();
    expect(placeOf({ type: 'delete-engine', message: '', engine })).toBeUndefined();
    expect([isBad({ type: 'engine-down' }), isBad({ type: 'engine-up' })]).toEqual([true, false]);
  });
});

test('both languages use the same values', () => {
  for (const [english, chinese] of Object.values(happened)) {
    const names = (text: string) => [...new Set(text.match(/\{\w+/g) ?? [])].sort();
    expect(names(chinese)).toEqual(names(english));
  }
});
