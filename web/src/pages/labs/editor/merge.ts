/** Two texts that were made of the same one, line by line. Nothing of either is lost. */

import { diff } from '@codemirror/merge';

interface Piece {
  /** Lines of the text before, from and to. */
  from: number;
  to: number;
  lines: readonly string[];
}

/** What is proposed where two people changed the same text. */
export interface Merged {
  text: string;
  /** Where both changed the same lines: both stand there, theirs first. */
  conflicts: number;
}

/** Lines without their ends; a text that ends with one has an empty last line. */
function linesOf(text: string): string[] {
  return text.split('\n');
}

/** Texts in which each line is one character, the same for the same line. */
function asCharacters(...texts: readonly string[][]): string[] {
  const known = new Map<string, string>();
  const code = (line: string) => {
    const found = known.get(line);
    if (found !== undefined) return found;
    // Below the halves of characters there is room for 55,000 different lines, above them for 8,000 more.
    const n = known.size + 1;
    const made = String.fromCharCode(n < 0xd800 ? n : n + 0x800);
    known.set(line, made);
    return made;
  };
  return texts.map((lines) => lines.map(code).join(''));
}

function changes(before: string[], after: string[]): Piece[] {
  const [a = '', b = ''] = asCharacters(before, after);
  return diff(a, b).map(({ fromA, toA, fromB, toB }) => ({ from: fromA, to: toA, lines: after.slice(fromB, toB) }));
}

/** Puts together what two people made of a text. */
export function merged(base: string, mine: string, theirs: string): Merged {
  const lines = linesOf(base);
  const ours = changes(lines, linesOf(mine));
  const others = changes(lines, linesOf(theirs));
  const out: string[] = [];
  let conflicts = 0;
  let at = 0;
  while (ours.length > 0 || others.length > 0) {
    const [first] = [ours[0], others[0]].filter((piece) => piece !== undefined).sort((x, y) => x.from - y.from);
    if (!first) break;
    // All that touches one another belongs together.
    let { from, to } = first;
    const [m, o]: [Piece[], Piece[]] = [[], []];
    for (let grew = true; grew;) {
      grew = false;
      for (const [list, taken] of [
        [ours, m],
        [others, o],
      ] as const) {
        for (let next = list[0]; next && touches(next, from, to); next = list[0]) {
          to = Math.max(to, next.to);
          from = Math.min(from, next.from);
          taken.push(next);
          list.shift();
          grew = true;
        }
      }
    }
    out.push(...lines.slice(at, from));
    const [left, right] = [applied(lines, from, to, m), applied(lines, from, to, o)];
    if (o.length === 0) out.push(...left);
    else if (m.length === 0 || left.join('\n') === right.join('\n')) out.push(...right);
    else {
      conflicts += 1;
      out.push(...right, ...left);
    }
    at = to;
  }
  out.push(...lines.slice(at));
  return { text: out.join('\n'), conflicts };
}

function touches({ from, to }: Piece, begin: number, end: number): boolean {
  return from <= end && to >= begin;
}

/** The lines from and to, with changes within them. */
function applied(lines: readonly string[], from: number, to: number, pieces: readonly Piece[]): string[] {
  const out: string[] = [];
  let at = from;
  for (const piece of pieces) {
    out.push(...lines.slice(at, piece.from), ...piece.lines);
    at = piece.to;
  }
  return [...out, ...lines.slice(at, to)];
}
