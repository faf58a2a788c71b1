import { beforeEach, describe, expect, test } from 'vitest';
import type { Schemas } from '../../lib/api';
import { language } from '../../lib/i18n.svelte';
import { concerns, verdict } from './verdict';

type Engine = Schemas['EngineView'];
type App = Schemas['AppView'];

function engine(id: string, more: Partial<Engine> = {}): Engine {
  return {
    id,
    addr: `http://${id}:2375`,
    api_version: '1.41',
    cpus: 4,
    memory: 8000,
    reserved_cpus: 1,
    reserved_memory: 1000,
    container_count: 1,
    docker_version: '20.10',
    duty: 'in_service',
    health: { status: 'healthy', since: '2026-11-22T08:00:00.000Z', response_time: 3 },
    image_count: 1,
    kernel: '6.1',
    labels: [],
    lacks: [],
    operating_system: 'Debian',
    storage_driver: 'overlay2',
    ...more,
  };
}
const ill = (status: string, reason = 'connection refused') => ({
  health: { status, reason, since: '2026-11-22T08:00:00.000Z', response_time: 0 },
});

function app(name: string, state: string, more: Partial<App> = {}): App {
  const isUp = state === 'running';
  const slot = {
    slot: 0,
    state,
    wish: 'running',
    ports: [],
    engine: isUp ? 'a' : null,
    message: isUp ? '' : 'no room',
  };
  return {
    id: name,
    name,
    owner: 'li',
    image: { name: 'httpd' },
    replicas: 1,
    running: isUp ? 1 : 0,
    slots: [slot],
    version: 1,
    created_at: '2026-11-22T08:00:00.000Z',
    ...more,
  };
}

beforeEach(() => language.choose('en'));

describe('is everything all right?', () => {
  test.each([
    [[], [], 'plain', 'There is no host in the pool yet.'],
    [[engine('a')], [], 'good', 'The only host is well. Nothing runs yet.'],
    [[engine('a'), engine('b')], [app('web', 'running')], 'good', 'All 2 hosts are well. 1 app serves.'],
    [
      [engine('a'), engine('b')],
      [app('web', 'running'), app('shop', 'waiting')],
      'bad',
      'All 2 hosts are well. 1 app serves. 1 app needs a look.',
    ],
    [
      [engine('a'), engine('b', ill('down')), engine('c', { duty: 'cordoned' })],
      [app('web', 'running')],
      'bad',
      '1 of 3 hosts does not answer: b. 1 app serves.',
    ],
    [
      [engine('a'), engine('b', { duty: 'drained' })],
      [app('web', 'running')],
      'accent',
      '1 of 2 hosts are well, 1 is out of service. 1 app serves.',
    ],
    [[engine('a'), engine('b', ill('waiting'))], [], 'warn', '1 host waits for approval: b. Nothing runs yet.'],
    [
      ['a', 'b', 'c', 'd', 'e'].map((id) => engine(id, ill('down'))),
      [],
      'bad',
      '5 of 5 hosts do not answer: a, b, c and 2 more. Nothing runs yet.',
    ],
  ])('%#', (engines, apps, tone, text) => {
    expect(verdict(engines, apps)).toEqual({ tone, text });
  });

  test('a pool in which nothing is moved says so first', () => {
    const told = verdict([engine('a')], [], { frozen: 'all vanished' });
    expect(told.tone).toBe('bad');
    expect(told.text).toMatch(/^Nothing is moved/);
  });
});

test('who may not see the apps is told of the hosts', () => {
  expect(verdict([engine('a'), engine('b')], undefined)).toEqual({ tone: 'good', text: 'All 2 hosts are well.' });
});

describe('what needs attention', () => {
  test('stands with its reason, the worst first', () => {
    const full = engine('full', { reserved_memory: 7900 });
    const found = concerns(
      [full, engine('b', ill('down', 'no route')), engine('c', ill('suspect')), engine('d', { duty: 'draining' })],
      [
        app('shop', 'waiting'),
        app('web', 'running', { message: 'the last change of the description was taken back: x' }),
      ],
    );
    expect(found.map(({ key, tone }) => [key, tone])).toEqual([
      ['down b', 'bad'],
      ['app shop', 'bad'],
      ['suspect c', 'warn'],
      ['back web', 'warn'],
      ['full full', 'accent'],
      ['out d', 'plain'],
    ]);
    expect(found[0]).toMatchObject({ text: 'b does not answer', why: 'no route', place: '/hosts/b' });
    expect(found[1]).toMatchObject({ why: 'no room', place: '/apps/shop' });
    expect(found[4]!.text).toMatch(/memory 99\s%/i);
  });

  test('is nothing in a pool that is well', () => {
    expect(concerns([engine('a')], [app('web', 'running')])).toEqual([]);
  });

  test('hosts that lack the same are told once, and those that are down not for that', () => {
    const lacks = { lacks: ['Live restore is off.'] };
    const found = concerns([engine('a', lacks), engine('b', lacks), engine('c', { ...lacks, ...ill('down') })], []);
    expect(found.map(({ text }) => text)).toEqual(['c does not answer', '2 hosts lack something']);
    expect(concerns([engine('a', lacks)], [])[0]).toMatchObject({ text: 'a lacks something', place: '/hosts/a' });
  });
});
