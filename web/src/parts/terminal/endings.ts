/** Why a terminal is not shown, in the few kinds that people can do something about. */

export type Refusal = 'gone' | 'revoked' | 'right' | 'other';

export function refusalOf(code: string | undefined): Refusal {
  if (code === 'not_found' || code === 'removed' || code === 'gone') return 'gone';
  if (code === 'revoked') return 'revoked';
  if (code === 'forbidden' || code === 'not_allowed') return 'right';
  return 'other';
}

/** Takes a command line apart as a shell would, as far as quotes and backslashes go; null if a quote is not closed. */
export function splitCommand(text: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (quote) {
      if (letter === quote) quote = '';
      else if (letter === '\\' && quote === '"' && /["\\$`]/.test(text[at + 1] ?? '')) word += text[++at] ?? '';
      else word += letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= '';
    } else if (letter === '\\' && at + 1 < text.length) {
      word = (word ?? '') + text[++at];
    } else if (/\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + letter;
    }
  }
  if (quote) return null;
  if (word !== null) words.push(word);
  return words;
}
