import { beforeEach, expect, test } from 'vitest';
import { language } from '../../lib/i18n.svelte';
import { filterWord } from './filters';
import { answer } from './landing';

beforeEach(() => language.choose('en'));

const explained = (...engines: (string | null)[]) => ({
  subject: '',
  summary: '',
  hosts: [],
  slots: engines.map((engine, slot) => ({ slot, engine, state: engine ? 'placed' : 'waiting', message: '' })),
});

test.each([
  [explained('h2', 'h1', 'h2'), 3, 'good', 'It fits: 2 on h2, 1 on h1.'],
  [explained('h2', 'h1'), 5, 'warn', 'Only 2 of 5 fit: 1 on h1, 1 on h2.'],
  [explained(null), 1, 'bad', 'It does not fit on any host.'],
  [explained('a', 'b', 'c', 'd'), 4, 'good', 'It fits: 1 on a, 1 on b, 1 on c, 1 on d.'],
  [
    explained('a', 'b', 'c', 'd', 'e', 'e', 'f', 'g'),
    8,
    'good',
    'It fits: 2 on e, 1 on a, 1 on b, 1 on c, 3 on 3 other hosts.',
  ],
])('where it would land: %#', (told, count, tone, text) => {
  expect(answer(told, count)).toEqual({ tone, text });
});

test('every filter has a word, and one that is new says its own', () => {
  expect(['Host', 'Unavailable', 'Label', 'Unique', 'Link', 'Tried', 'Port', 'Cpu', 'Memory'].map(filterWord)).toEqual([
    'another host is asked for',
    'not available',
    'lacks a label',
    'runs the image already',
    'lacks a linked container',
    'failed there before',
    'port taken',
    'too little CPU',
    'too little memory',
  ]);
  expect([filterWord('gravity'), filterWord(null)]).toEqual(['gravity', '']);
});
