/** Markdown of labs as buttons write it: what is marked, and blocks of every kind. Pure text. */

/** A change of a text: what of it is replaced by what, and what is marked then. */
export interface Change {
  from: number;
  to: number;
  insert: string;
  /** What is marked afterwards, in the text as it is then. */
  mark: { from: number; to: number };
}

/** Puts marks around what is chosen, or takes them away. */
export function around(text: string, from: number, to: number, mark: string, placeholder: string): Change {
  const chosen = text.slice(from, to);
  const before = text.slice(from - mark.length, from);
  const behind = text.slice(to, to + mark.length);
  if (from >= mark.length && before === mark && behind === mark) {
    const start = from - mark.length;
    return { from: start, to: to + mark.length, insert: chosen, mark: { from: start, to: start + chosen.length } };
  }
  const inside = chosen || placeholder;
  const start = from + mark.length;
  return { from, to, insert: `${mark}${inside}${mark}`, mark: { from: start, to: start + inside.length } };
}

/** Begins the lines of what is chosen with something, or takes that away from all of them. */
export function lines(text: string, from: number, to: number, begin: string): Change {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const next = text.indexOf('\n', to);
  const end = next < 0 ? text.length : next;
  const all = text.slice(start, end).split('\n');
  const isOn = all.every((line) => line.startsWith(begin));
  const other = /^(?:#{1,6} |- |\d+\. |> )/;
  const changed = all.map((line) => (isOn ? line.slice(begin.length) : begin + line.replace(other, '')));
  const insert = changed.join('\n');
  return { from: start, to: end, insert, mark: { from: start, to: start + insert.length } };
}

export function link(text: string, from: number, to: number, placeholder: string): Change {
  const words = text.slice(from, to) || placeholder;
  const address = 'https://';
  const start = from + words.length + 3;
  return { from, to, insert: `[${words}](${address})`, mark: { from: start, to: start + address.length } };
}

/** Puts a block on lines of its own behind what is chosen; what stands between `‹` and `›` in it is marked then. */
export function block(text: string, at: number, template: string): Change {
  const before = text.slice(0, at);
  const behind = text.slice(at);
  const lead = before === '' || before.endsWith('\n\n') ? '' : before.endsWith('\n') ? '\n' : '\n\n';
  const tail = behind === '' ? '\n' : behind.startsWith('\n\n') ? '' : behind.startsWith('\n') ? '\n' : '\n\n';
  return filled(at, lead, template, tail);
}

/** What is chosen, if it is whole lines; else the place behind the line that it ends in. */
export function wholeLines(text: string, from: number, to: number): [from: number, to: number] {
  const isBegin = from === 0 || text[from - 1] === '\n';
  const isEnd = to === text.length || text[to] === '\n';
  if (from < to && isBegin && isEnd) return [from, to];
  const next = text.indexOf('\n', to);
  const end = next < 0 ? text.length : next;
  return [end, end];
}

/** Puts something within a line. */
export function inline(at: number, template: string): Change {
  return filled(at, '', template, '');
}

function filled(at: number, lead: string, template: string, tail: string): Change {
  const open = template.indexOf('‹');
  const close = template.indexOf('›');
  const plain = template.replace('‹', '').replace('›', '');
  const start = at + lead.length + (open < 0 ? plain.length : open);
  const end = open < 0 ? start : at + lead.length + close - 1;
  return { from: at, to: at, insert: lead + plain + tail, mark: { from: start, to: end } };
}

/** A fence that no line of the text closes. */
export function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/^ {0,3}(`{3,})/gm)].map(([, ticks = '']) => ticks.length));
  return '`'.repeat(longest + 1);
}

export type Kind = 'run' | 'copy' | 'edit' | 'preview' | 'hint' | 'quiz' | 'question';

/** What a block of a kind looks like, with a place to go on writing; `code` is what was chosen. */
export function template(kind: Kind, code: string, terminal = ''): string {
  const text = code.trim();
  const tick = fence(text);
  const inside = (usual: string) => (text === '' ? `‹${usual}›` : text);
  switch (kind) {
    case 'run':
      return `${tick}sh run${terminal === '' ? '' : ` terminal=${terminal}`}\n${inside('ls')}\n${tick}`;
    case 'copy':
      return `${tick}sh copy\n${inside('ls')}\n${tick}`;
    case 'edit':
      return `${tick}yaml edit file=‹/etc/app.yaml›\n${text || 'port: 8000'}\n${tick}`;
    case 'preview':
      return `[${text || 'Open your page'}](preview:‹8000›/)`;
    case 'hint':
      return `> [!HINT] ‹Where to look›\n${(text || 'Look into the log.').replace(/^/gm, '> ')}`;
    case 'quiz':
      return `${tick}quiz\n${inside('Which one is right?')}\n- [ ] this\n- [x] that\n> Shown with the result.\n${tick}`;
    case 'question':
      return `${tick}quiz\n${inside('What is it called?')}\n= answer\n= another answer\n> Shown with the result.\n${tick}`;
  }
}

/** A name for a file, of a title in any language. */
export function slug(title: string, otherwise: string): string {
  const plain = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return plain || otherwise;
}

/** A name that is not taken: with a number if it must be. */
export function free(path: string, taken: ReadonlySet<string>): string {
  if (!taken.has(path)) return path;
  const dot = path.lastIndexOf('.');
  const cut = dot > path.lastIndexOf('/') ? dot : path.length;
  for (let n = 2; ; n++) {
    const one = `${path.slice(0, cut)}-${n}${path.slice(cut)}`;
    if (!taken.has(one)) return one;
  }
}

/** Where the next step's file is: behind those that are there, by their numbers. */
export function nextStep(paths: readonly string[], title: string): string {
  const numbers = paths.map((path) => Number(/^steps\/(\d+)/.exec(path)?.[1] ?? 0));
  const next = Math.max(0, ...numbers) + 1;
  return free(`steps/${String(next).padStart(2, '0')}-${slug(title, 'step')}.md`, new Set(paths));
}

/** A text in YAML, in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/**
 * YAML with one more item at the end of a list at its top level, which is made if it is not there. `item` is what stands
 * behind its dash, line by line.
 */
export function withItem(yaml: string, key: string, item: readonly string[]): string {
  const all = yaml === '' ? [] : yaml.replace(/\n$/, '').split('\n');
  const at = all.findIndex((line) => line === `${key}:` || line.startsWith(`${key}: `) || line.startsWith(`${key}:\t`));
  const head =
    at < 0
      ? ''
      : (all[at] ?? '')
          .slice(key.length + 1)
          .replace(/\s+#.*$/, '')
          .trim();
  const asItem = (indent: string) => item.map((line, n) => `${indent}${n === 0 ? '- ' : '  '}${line}`);
  if (at < 0) return [...all, `${key}:`, ...asItem('  '), ''].join('\n');
  if (head.startsWith('[')) {
    // Written on one line: it goes on there if the item has one line too.
    const inside = head.replace(/^\[|\]$/g, '').trim();
    if (item.length === 1 && head.endsWith(']')) {
      all[at] = `${key}: [${inside === '' ? '' : `${inside}, `}${item[0]}]`;
      return [...all, ''].join('\n');
    }
    if (inside === '') {
      all.splice(at, 1, `${key}:`, ...asItem('  '));
      return [...all, ''].join('\n');
    }
  }
  let end = at + 1;
  let last = at;
  let indent = '  ';
  for (; end < all.length; end++) {
    const line = all[end] ?? '';
    if (/^\s*(#.*)?$/.test(line)) continue;
    const dash = /^(\s*)- /.exec(line) ?? /^(\s*)-$/.exec(line);
    if (!/^\s/.test(line) && !dash) break;
    if (last === at && dash) indent = dash[1] ?? '';
    last = end;
  }
  all.splice(last + 1, 0, ...asItem(indent));
  return [...all, ''].join('\n');
}

const HEAD = /^---[ \t]*\n([\s\S]*?\n)?---[ \t]*(?:\n|$)/;

/** A step's text with one more item of a list in its head, which is made if there is none. */
export function withHeadItem(text: string, key: string, item: readonly string[]): string {
  const found = HEAD.exec(text);
  const yaml = withItem(found?.[1] ?? '', key, item);
  return found ? `---\n${yaml}---\n${text.slice(found[0].length)}` : `---\n${yaml}---\n\n${text.replace(/^\n+/, '')}`;
}

export interface NewCheck {
  title: string;
  script: string;
  isContinuous: boolean;
  /** What is said while it does not pass; may be empty. */
  hint: string;
}

/** A check as it stands in a step's head. */
export function checkItem({ title, script, isContinuous, hint }: NewCheck): string[] {
  return [
    `title: ${quoted(title)}`,
    `script: /${script}`,
    ...(isContinuous ? ['continuous: true'] : []),
    ...(hint === '' ? [] : ['hints:', `  - {text: ${quoted(hint)}}`]),
  ];
}
