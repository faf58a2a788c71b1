import { expect, test } from 'vitest';
import { refusalOf, splitCommand } from './endings';

test('refusals are of few kinds', () => {
  expect(['not_found', 'removed', 'revoked', 'forbidden', 'replaced', undefined].map(refusalOf)).toEqual([
    'gone',
    'gone',
    'revoked',
    'right',
    'other',
    'other',
  ]);
});

test.each([
  ['', []],
  ['  sh  ', ['sh']],
  ['sh -c "echo $HOME; ls"', ['sh', '-c', 'echo $HOME; ls']],
  [`a 'b c' d"e f"g`, ['a', 'b c', 'de fg']],
  [`echo '' ""`, ['echo', '', '']],
  [String.raw`say \"hi\" a\ b "x\"y" 'x\y'`, ['say', '"hi"', 'a b', 'x"y', String.raw`x\y`]],
  ['open "quote', null],
  ["it's", null],
])('%j is split', (text, words) => {
  expect(splitCommand(text)).toEqual(words);
});
