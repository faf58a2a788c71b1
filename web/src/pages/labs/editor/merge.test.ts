import { describe, expect, test } from 'vitest';
import { merged } from './merge';

const base = 'one\ntwo\nthree\nfour\nfive\n';

describe('two texts of the same one', () => {
  test('are put together where they changed different lines', () => {
    expect(merged(base, 'ONE\ntwo\nthree\nfour\nfive\n', 'one\ntwo\nthree\nfour\nfive\nsix\n')).toEqual({
      text: 'ONE\ntwo\nthree\nfour\nfive\nsix\n',
      conflicts: 0,
    });
    expect(merged(base, 'one\nthree\nfour\nfive\n', 'one\ntwo\nthree\nFOUR\nfive\n')).toEqual({
      text: 'one\nthree\nFOUR\nfive\n',
      conflicts: 0,
    });
  });

  test('have both versions of lines that both changed', () => {
    const both = merged(base, 'one\ntwo\nmine\nfour\nfive\n', 'one\ntwo\ntheirs\nfour\nfive\n');
    expect(both).toEqual({ text: 'one\ntwo\ntheirs\nmine\nfour\nfive\n', conflicts: 1 });
    const added = merged(base, `${base}mine\n`, `${base}theirs\n`);
    expect(added).toEqual({ text: `${base}theirs\nmine\n`, conflicts: 1 });
  });

  test('are one if both did the same', () => {
    expect(merged(base, 'one\n', 'one\n')).toEqual({ text: 'one\n', conflicts: 0 });
    expect(merged(base, base, 'other\n')).toEqual({ text: 'other\n', conflicts: 0 });
    expect(merged(base, 'other\n', base)).toEqual({ text: 'other\n', conflicts: 0 });
    expect(merged('', '', '')).toEqual({ text: '', conflicts: 0 });
  });

  test('lose no last line that has no end', () => {
    expect(merged('a', 'a\nmine', 'a\ntheirs').text.split('\n').sort()).toEqual(['a', 'mine', 'theirs']);
    expect(merged('a\nb', 'A\nb', 'a\nB').text.split('\n').filter(Boolean).sort()).toEqual(
      expect.arrayContaining(['A', 'B']),
    );
  });

  test('lose no line that either wrote, whatever they did', () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n;
    const change = (who: string) => {
      const lines = Array.from({ length: 30 }, (_, n) => `line ${n % 7} ${n}`);
      for (let n = 0; n < 6; n++) {
        const at = random(lines.length + 1);
        if (random(3) === 0) lines.splice(at, random(3));
        else lines.splice(at, random(2), `${who} wrote ${n}`);
      }
      return `${lines.join('\n')}\n`;
    };
    const before = `${Array.from({ length: 30 }, (_, n) => `line ${n % 7} ${n}`).join('\n')}\n`;
    for (let turn = 0; turn < 200; turn++) {
      const [mine, theirs] = [change('mine'), change('theirs')];
      const { text } = merged(before, mine, theirs);
      const there = new Set(text.split('\n'));
      for (const line of `${mine}${theirs}`.split('\n').filter((one) => one.includes('wrote'))) {
        expect(there, `${turn}: ${line}`).toContain(line);
      }
    }
  });
});
