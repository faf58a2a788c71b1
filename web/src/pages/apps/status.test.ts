import { afterEach, describe, expect, test } from 'vitest';
import type { Schemas } from '../../lib/api';
import { language } from '../../lib/i18n.svelte';
import { appSentence, appState, changeWords, hostsOf, slotState } from './status';

type Slot = Schemas['SlotView'];

function slot(number: number, state: string, more: Partial<Slot> = {}): Slot {
  return { slot: number, state, wish: 'running', ports: [], engine: 'a', ...more };
}
function app(running: number, slots: Slot[], more: Partial<Schemas['AppView']> = {}) {
  return { replicas: slots.length, running, slots, message: '', ...more };
}
const run = (count: number) => Array.from({ length: count }, (_, at) => slot(at, 'running'));

afterEach(() => language.choose('en'));
language.choose('en');

describe('an app', () => {
  test.each([
    ['that serves', app(3, run(3)), 'good', 'serving', false, 'It serves on all 3 of 3 slots.'],
    ['of one', app(1, run(1)), 'good', 'serving', false, 'It serves on all 1 of 1 slot.'],
    ['of none', app(0, []), 'plain', 'scaled to none', false, 'It is scaled to none: nothing of it runs.'],
    [
      'without room for one',
      app(2, [...run(2), slot(2, 'waiting', { engine: null })]),
      'warn',
      '2 of 3 serve',
      true,
      'It serves on 2 of 3 slots. 1 waits for a host.',
    ],
    [
      'without room at all',
      app(0, [slot(0, 'waiting'), slot(1, 'waiting')]),
      'bad',
      'waits for a host',
      true,
      'It does not serve: none of 2 slots run. 2 wait for a host.',
    ],
    [
      'that starts',
      app(0, [slot(0, 'starting')]),
      'accent',
      'starting',
      false,
      'It does not serve: none of 1 slot runs. 1 starts.',
    ],
    [
      'whose host is lost',
      app(1, [...run(1), slot(1, 'lost')]),
      'warn',
      '1 of 2 serve',
      true,
      'It serves on 1 of 2 slots. 1 is on hosts that do not answer.',
    ],
    ['that is stopped', app(0, [slot(0, 'stopped', { wish: 'stopped' })]), 'plain', 'stopped', false, undefined],
    [
      'that has ended well',
      app(0, [slot(0, 'done')]),
      'good',
      'finished',
      false,
      'It has run to its end, and all is well.',
    ],
    [
      'that has ended badly',
      app(0, [slot(0, 'failed'), slot(1, 'done')]),
      'bad',
      'failed',
      true,
      '1 of 2 slots ended with a failure.',
    ],
    [
      'that changes',
      app(2, [slot(0, 'running', { version: 1 }), slot(1, 'running', { version: 2 })]),
      'accent',
      'changing',
      false,
      'It serves on all 2 of 2 slots.',
    ],
  ])('%s', (_, given, tone, word, isTrouble, sentence) => {
    expect(appState(given)).toEqual({ tone, word, isTrouble });
    if (sentence !== undefined) expect(appSentence(given)).toBe(sentence);
  });

  test('whose former containers serve meanwhile is not in trouble', () => {
    expect(appState(app(1, [slot(0, 'starting')])).isTrouble).toBe(false);
  });

  test('has a sentence in Chinese, too', () => {
    language.choose('zh');
    expect(appSentence(app(3, run(3)))).toBe('3 个槽位全部正常运行。');
  });
});

test('a slot of a state that is new is told in its own word', () => {
  expect(slotState({ state: 'lost' })).toEqual({ tone: 'bad', word: 'lost' });
  expect(slotState({ state: 'hibernating' })).toEqual({ tone: 'plain', word: 'hibernating' });
});

test.each([
  ['', ''],
  [
    'a changed description is on its way to the containers, one by one',
    'Its new description reaches one slot after the other.',
  ],
  ['the last change of the description was taken back: no room', 'Its last change was taken back: no room'],
  ['something else', 'something else'],
])('a change is told: %j', (message, told) => {
  expect(changeWords(message)).toBe(told);
});

test('hosts of an app are named once', () => {
  const slots = [
    slot(0, 'running', { engine: 'b' }),
    slot(1, 'running'),
    slot(2, 'running'),
    slot(3, 'waiting', { engine: null }),
  ];
  expect(hostsOf({ slots })).toEqual(['a', 'b']);
});
