/** How well what is typed fits a name. */

const START = 8;
const WORD = 6;
const NEXT = 4;
const ANY = 1;
/** What fits so much worse than the best was hardly meant. */
const WORST = 0.4;

/** Higher is better; null if a word of the query does not fit at all. Letters may be left out, not swapped. */
export function score(query: string, text: string): number | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const lower = text.toLowerCase();
  let total = 0;
  for (const word of words) {
    const one = ofWord(word, lower);
    if (one === null) return null;
    total += one;
  }
  // Of two that fit alike the shorter one is meant.
  return total - text.length / 100;
}

function ofWord(word: string, text: string): number | null {
  const whole = text.indexOf(word);
  if (whole >= 0) {
    const place = whole === 0 ? START : isStart(text, whole) ? WORD : ANY;
    return place + NEXT * word.length;
  }
  let total = 0;
  let at = -1;
  for (const letter of word) {
    const found = text.indexOf(letter, at + 1);
    if (found < 0) return null;
    total += found === at + 1 ? NEXT / 2 : isStart(text, found) ? ANY * 2 : ANY / 2;
    at = found;
  }
  return total;
}

function isStart(text: string, at: number): boolean {
  return at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1] ?? '');
}

/** The best that fit, best first; all of them, in their order, if nothing is typed. */
export function best<T>(query: string, items: readonly T[], text: (item: T) => string, most: number): T[] {
  if (query.trim() === '') return items.slice(0, most);
  const found = items
    .map((item) => ({ item, fit: score(query, text(item)) }))
    .filter((one): one is { item: T; fit: number } => one.fit !== null)
    .sort((a, b) => b.fit - a.fit);
  const least = (found[0]?.fit ?? 0) * WORST;
  return found
    .filter(({ fit }) => fit >= least)
    .slice(0, most)
    .map(({ item }) => item);
}
