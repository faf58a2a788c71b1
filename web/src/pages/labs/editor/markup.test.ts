import { describe, expect, test } from 'vitest';
import {
  around,
  block,
  checkItem,
  fence,
  free,
  inline,
  lines,
  link,
  nextStep,
  slug,
  template,
  wholeLines,
  withHeadItem,
  withItem,
  type Change,
} from './markup';

/** The text after a change, with what is marked between bars. */
function after(text: string, { from, to, insert, mark }: Change): string {
  const next = text.slice(0, from) + insert + text.slice(to);
  return `${next.slice(0, mark.from)}|${next.slice(mark.from, mark.to)}|${next.slice(mark.to)}`;
}

describe('marks', () => {
  test('go around what is chosen, and away again', () => {
    expect(after('a word.', around('a word.', 2, 6, '**', 'bold'))).toBe('a **|word|**.');
    expect(after('a **word**.', around('a **word**.', 4, 8, '**', 'bold'))).toBe('a |word|.');
    expect(after('a ', around('a ', 2, 2, '`', 'code'))).toBe('a `|code|`');
  });

  test('begin whole lines, and are changed for others', () => {
    expect(after('a\nb\nc', lines('a\nb\nc', 2, 5, '- '))).toBe('a\n|- b\n- c|');
    expect(after('- b\n- c', lines('- b\n- c', 1, 5, '- '))).toBe('|b\nc|');
    expect(after('1. b', lines('1. b', 0, 0, '## '))).toBe('|## b|');
  });

  test('make a link whose address is written next', () => {
    expect(after('see docs', link('see docs', 4, 8, 'text'))).toBe('see [docs](|https://|)');
  });
});

describe('blocks', () => {
  test('stand on lines of their own, with blank ones around them', () => {
    expect(after('', block('', 0, 'x‹y›'))).toBe('x|y|\n');
    expect(after('a\nb', block('a\nb', 1, '‹x›'))).toBe('a\n\n|x|\n\nb'.replace('\n\nb', '\n\nb'));
    expect(after('a\n\nb', block('a\n\nb', 3, 'x'))).toBe('a\n\nx||\n\nb');
    expect(after('ab', inline(1, '[‹t›](p)'))).toBe('a[|t|](p)b');
  });

  test('take whole lines into them, and nothing else', () => {
    const text = 'one two\nthree\n';
    expect(wholeLines(text, 0, 7)).toEqual([0, 7]);
    expect(wholeLines(text, 0, 13)).toEqual([0, 13]);
    expect(wholeLines(text, 4, 7)).toEqual([7, 7]);
    expect(wholeLines(text, 2, 2)).toEqual([7, 7]);
    expect(wholeLines(text, 14, 14)).toEqual([14, 14]);
  });

  test('take over what was chosen', () => {
    expect(template('run', 'df -h\n', 'db')).toBe('```sh run terminal=db\ndf -h\n```');
    expect(template('run', '')).toBe('```sh run\n‹ls›\n```');
    expect(template('hint', 'one\ntwo')).toBe('> [!HINT] ‹Where to look›\n> one\n> two');
    expect(template('edit', 'a: 1')).toBe('```yaml edit file=‹/etc/app.yaml›\na: 1\n```');
    expect(template('quiz', '')).toContain('- [x] that');
    expect(template('question', '')).toContain('\n= answer\n');
    expect(template('preview', 'Look')).toBe('[Look](preview:‹8000›/)');
  });

  test('have fences that nothing in them closes', () => {
    expect(fence('a')).toBe('```');
    expect(fence('```\na\n```')).toBe('````');
    expect(template('copy', '````\n')).toMatch(/^`````sh copy\n/);
  });
});

describe('names of files', () => {
  test('are made of titles', () => {
    expect(slug('Où est “le” fichier?', 'x')).toBe('ou-est-le-fichier');
    expect(slug('启动服务器', 'step')).toBe('step');
    expect(slug('a'.repeat(90), 'x')).toHaveLength(40);
  });

  test('are not taken', () => {
    expect(free('images/a.png', new Set(['images/a.png', 'images/a-2.png']))).toBe('images/a-3.png');
    expect(free('x.d/a', new Set(['x.d/a']))).toBe('x.d/a-2');
  });

  test('put a new step behind the others', () => {
    expect(nextStep([], 'Begin')).toBe('steps/01-begin.md');
    expect(nextStep(['lab.yaml', 'steps/2-b.md', 'steps/10-c.md'], '完')).toBe('steps/11-step.md');
  });
});

describe('a list in YAML', () => {
  const item = ['title: "x"', 'script: /checks/x.sh'];

  test('is made if there is none', () => {
    expect(withItem('', 'checks', item)).toBe('checks:\n  - title: "x"\n    script: /checks/x.sh\n');
    expect(withItem('title: a\n', 'steps', ['b.md'])).toBe('title: a\nsteps:\n  - b.md\n');
  });

  test('gets its item at its end, indented as the others', () => {
    const yaml = 'checks:\n- title: a\n  hints:\n  - {text: b}\n\n# a remark\nsolution: /s.sh\n';
    expect(withItem(yaml, 'checks', item)).toBe(
      'checks:\n- title: a\n  hints:\n  - {text: b}\n- title: "x"\n  script: /checks/x.sh\n\n# a remark\nsolution: /s.sh\n',
    );
    expect(withItem('checks:\n    - title: a\nz: 1\n', 'checks', item)).toBe(
      'checks:\n    - title: a\n    - title: "x"\n      script: /checks/x.sh\nz: 1\n',
    );
  });

  test('may be written on one line', () => {
    expect(withItem('steps: [a.md, b.md]\n', 'steps', ['c.md'])).toBe('steps: [a.md, b.md, c.md]\n');
    expect(withItem('steps: []\nx: 1\n', 'steps', ['c.md'])).toBe('steps: [c.md]\nx: 1\n');
    expect(withItem('checks: []\nx: 1\n', 'checks', item)).toBe(
      'checks:\n  - title: "x"\n    script: /checks/x.sh\nx: 1\n',
    );
  });

  test('is not mistaken for another of a longer name', () => {
    expect(withItem('checks_of: 1\n', 'checks', ['a'])).toBe('checks_of: 1\nchecks:\n  - a\n');
  });
});

describe('a check', () => {
  const check = { title: 'It says "yes"', script: 'checks/yes.sh', isContinuous: true, hint: 'Not yet: look' };

  test('goes into the head of a step, which is made if there is none', () => {
    expect(withHeadItem('# Step\n', 'checks', checkItem(check))).toBe(
      [
        '---',
        'checks:',
        '  - title: "It says \\"yes\\""',
        '    script: /checks/yes.sh',
        '    continuous: true',
        '    hints:',
        '      - {text: "Not yet: look"}',
        '---',
        '',
        '# Step',
        '',
      ].join('\n'),
    );
  });

  test('goes behind those that are there, and leaves the rest as it is', () => {
    const text = '---\ntitle: A\nchecks:\n  - title: a\n    script: /a.sh\n---\n\n# Step\n\n---\n\nmore\n';
    const plain = { ...check, title: 'b', hint: '', isContinuous: false };
    expect(withHeadItem(text, 'checks', checkItem(plain))).toBe(
      '---\ntitle: A\nchecks:\n  - title: a\n    script: /a.sh\n  - title: "b"\n    script: /checks/yes.sh\n---\n\n# Step\n\n---\n\nmore\n',
    );
    expect(withHeadItem('---\n---\nx', 'checks', ['a'])).toBe('---\nchecks:\n  - a\n---\nx');
  });
});
