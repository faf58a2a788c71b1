import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { language } from '../../lib/i18n.svelte';
import { happened } from '../../messages/happened';
import { isBad, lines, partsOf, placeOf, sentence } from './sentence';

beforeEach(() => language.choose('en'));

describe('the parts of a message', () => {
  test.each([
    ['app=web, count=5', { app: 'web', count: '5' }],
    ['id=h3, reason=refused, twice, a=b', { id: 'h3', reason: 'refused, twice', a: 'b' }],
    ['id=h3, it answers again after 12 s', { id: 'h3, it answers again after 12 s' }],
    ['the load, as it is', { rest: 'the load, as it is' }],
    ['', { rest: '' }],
    ['name=ann address=::1', { name: 'ann', address: '::1' }],
    ['reason=host a is down', { reason: 'host a is down' }],
    ['id=0a, name=web.0.1, exitCode=137', { id: '0a', name: 'web.0.1', exitCode: '137' }],
  ])('%j', (message, parts) => {
    expect(partsOf(message)).toEqual(parts);
  });
});

describe('an event', () => {
  test.each([
    [{ type: 'log-in', message: 'name=ann address=10.0.0.9', actor: 'ann' }, 'ann logged in from 10.0.0.9'],
    [
      { type: 'die', message: `id=${'ab'.repeat(32)}, name=web.0.1, image=x:1, exitCode=137`, engine: { id: 'h1' } },
      'web.0.1 exited on h1 with code 137',
    ],
    [
      { type: 'open-workspace', message: 'workspace=abc, name=my work, environment=python', actor: 'ann' },
      'ann opened a workspace of python',
    ],
    [
      { type: 'ready-workspace', message: 'workspace=abc, name=my work, what=it is ready on host h1' },
      'Workspace my work: it is ready on host h1',
    ],
    [
      { type: 'delete-recording', message: 'course=cs, lab=sql, account=li, recording=t1, why=consent was withdrawn' },
      'A recording of work at sql in cs was deleted: consent was withdrawn',
    ],
    [{ type: 'unheard-of', message: `id=${'ab'.repeat(32)}` }, 'unheard-of: id=abababababab'],
    [{ type: 'scale-container', message: 'app=web, count=5', app: 'web', actor: 'li' }, 'li scaled web to 5'],
    [{ type: 'run-container', message: 'name=httpd:2.4, app=web, count=3', app: 'web' }, 'Pierhead ran 3 of web'],
    [
      { type: 'engine-down', message: 'id=h3, reason=Connection refused (os error 111)', engine: { id: 'h3' } },
      'h3 is down: Connection refused (os error 111)',
    ],
    [
      { type: 'place-slot', message: 'app=web, slot=1, from=h3, to=h1, reason=host h3 is down: refused', app: 'web' },
      'web, slot 1: h3 → h1, h3 is down',
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

describe('many events', () => {
  const moved = (id: number, from: string, seconds: number, reason = 'host h3 is down: refused') => ({
    id: String(id),
    type: 'place-slot',
    time: new Date(Date.UTC(2026, 10, 22, 8, 0, seconds)).toISOString(),
    message: `app=web, slot=${id}, from=${from}, to=h1, reason=${reason}`,
    app: 'web',
  });

  test('that move slots off one host are one line', () => {
    const down = {
      id: 'd',
      type: 'engine-down',
      time: '2026-11-22T08:00:01.000Z',
      message: 'id=h3, reason=x',
      engine: { id: 'h3' },
    };
    const told = lines([moved(3, 'h3', 9), moved(2, 'h3', 8), down, moved(1, 'h3', 0)]);
    expect(told.map(({ text, count }) => [text, count])).toEqual([
      ['3 slots moved off h3: h3 is down', 3],
      ['h3 is down: x', 1],
    ]);
  });

  test('stay apart if they have other reasons, other hosts, or came much later', () => {
    expect(lines([moved(1, 'h3', 9), moved(2, 'h2', 9), moved(3, 'h3', 9, 'host h3 is drained')])).toHaveLength(3);
    expect(lines([moved(1, 'h3', 200), moved(2, 'h3', 9)])).toHaveLength(2);
    expect(lines([moved(1, 'h1', 9), moved(2, 'h1', 9)])).toHaveLength(2);
    expect(lines([])).toEqual([]);
  });
});

test('both languages use the same values', () => {
  for (const [english, chinese] of Object.values(happened)) {
    const names = (text: string) => [...new Set(text.match(/\{\w+/g) ?? [])].sort();
    expect(names(chinese)).toEqual(names(english));
  }
});

test('each event that a controller writes has a sentence', () => {
  const crates = join(import.meta.dirname, '../../../../crates');
  const texts = ['controller', 'api'].flatMap((crate) => {
    const folder = join(crates, crate, 'src');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.rs') && !file.includes('tests'))
      .map((file) => readFileSync(join(folder, file), 'utf8'));
  });
  // By the functions that make them, and those of accounts and students by the words that are passed on to these.
  const written =
    /(?:with_\w*event\(\s*transaction,\s*|event_of_pool\(\s*|\.event\(\s*|change_attempt\([^";]*\(\s*|&next, )"([a-z]+(?:-[a-z]+)*)"|Self::\w+ => "([a-z]+-account)"/g;
  const types = new Set(
    texts.flatMap((text) => [...text.matchAll(written)].map(([, type, ofAccount]) => type ?? ofAccount ?? '')),
  );
  expect(['add-course', 'attempt-prepared', 'enrol', 'suspend-account'].filter((type) => !types.has(type))).toEqual([]);
  expect([...types].filter((type) => !Object.hasOwn(happened, type))).toEqual([]);
});
