import { describe, expect, test } from 'vitest';
import { progress, running, type Operation } from './watch';

function operation(id: string, more: Partial<Operation> = {}): Operation {
  return {
    id,
    actor: 'li',
    app: 'web',
    title: `scale web to ${id}`,
    state: 'running',
    created_at: '2026-11-22T08:00:00.000Z',
    deadline: '2026-11-22T08:10:00.000Z',
    verdicts: [],
    ...more,
  };
}

test('how far it is, those with something to tell first', () => {
  const verdicts = [
    { slot: 0, state: 'done' as const },
    { slot: 3, state: 'pending' as const },
    { slot: 2, state: 'pending' as const, message: 'copies shop:1' },
    { slot: 1, state: 'failed' as const, message: 'exited' },
  ];
  const told = progress(operation('1', { verdicts }));
  expect([told.done, told.failed, told.all]).toEqual([1, 1, 4]);
  expect(told.open.map((verdict) => verdict.slot)).toEqual([2, 3]);
});

describe('what goes on', () => {
  const list = [
    operation('4', {
      app: '',
      title: 'drain host h1',
      verdicts: [{ app: 'shop', slot: 0, state: 'pending', engine: 'h2' }],
    }),
    operation('3', { state: 'done' }),
    operation('2', { app: 'shop' }),
    operation('1'),
  ];
  const ids = (about: Parameters<typeof running>[1]) => running(list, about).map((one) => one.id);

  test('is told oldest first, without what has ended', () => {
    expect(ids({})).toEqual(['1', '2', '4']);
  });

  test('with an app is its own and what moves it', () => {
    expect(ids({ app: 'shop' })).toEqual(['2', '4']);
  });

  test('with a host is what names it or is under way there', () => {
    expect(ids({ engine: 'h1' })).toEqual(['4']);
    expect(ids({ engine: 'h2' })).toEqual(['4']);
    expect(ids({ engine: 'h' })).toEqual([]);
  });
});
