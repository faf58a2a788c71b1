/** Colours in log lines: escape sequences become runs of text with a look. Nothing of a line ever becomes markup. */

/** How a run looks. Colours are 0 to 15 of the theme, or `#rrggbb`. */
export interface Look {
  fore?: number | string;
  back?: number | string;
  isBold?: boolean;
  isDim?: boolean;
  isItalic?: boolean;
  isUnderlined?: boolean;
  isStruck?: boolean;
  isInverse?: boolean;
}

export interface Run {
  text: string;
  look: Look;
}

// eslint-disable-next-line no-control-regex
const SEQUENCE = /\x1b(?:\[([0-?]*)([ -/]*[@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-Z\\`-~])/g;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const PLAIN: Look = {};
const CUBE = [0, 95, 135, 175, 215, 255];

/** The text that is left when a line's escape sequences and control characters are taken out. */
export function plain(line: string): string {
  if (!/[\x00-\x1f\x7f-\x9f]/.test(line)) return line;
  return clean(overwritten(line).replace(SEQUENCE, ''));
}

function clean(text: string): string {
  return text.replaceAll('\t', '    ').replace(CONTROL, '');
}

/** What a carriage return leaves of a line: programs draw progress by it. */
function overwritten(line: string): string {
  const end = line.replace(/\r+$/, '');
  const last = end.lastIndexOf('\r');
  return last < 0 ? end : end.slice(last + 1);
}

/** A line as runs; together their texts are what `plain` gives. */
export function runs(line: string): Run[] {
  const text = overwritten(line);
  if (!text.includes('\x1b')) {
    const whole = clean(text);
    return whole === '' ? [] : [{ text: whole, look: PLAIN }];
  }
  const found: Run[] = [];
  let look = PLAIN;
  let from = 0;
  const take = (to: number) => {
    const part = clean(text.slice(from, to));
    if (part !== '') found.push({ text: part, look });
  };
  for (const sequence of text.matchAll(SEQUENCE)) {
    take(sequence.index);
    from = sequence.index + sequence[0].length;
    if (sequence[2] === 'm' && !/[<=>?]/.test(sequence[1] ?? '')) look = changed(look, sequence[1] ?? '');
  }
  take(text.length);
  return found;
}

const SWITCHES: Record<number, Partial<Record<keyof Look, true | undefined>>> = {
  1: { isBold: true },
  2: { isDim: true },
  3: { isItalic: true },
  4: { isUnderlined: true },
  7: { isInverse: true },
  9: { isStruck: true },
  21: { isUnderlined: true },
  22: { isBold: undefined, isDim: undefined },
  23: { isItalic: undefined },
  24: { isUnderlined: undefined },
  27: { isInverse: undefined },
  29: { isStruck: undefined },
  39: { fore: undefined },
  49: { back: undefined },
};

function changed(before: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map((text) => (text === '' ? 0 : Number.parseInt(text, 10)));
  let look: Record<string, unknown> = { ...before };
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) look = {};
    else if (code === 38 || code === 48) {
      const { colour, length } = extended(codes.slice(at + 1));
      if (colour !== undefined) look[code === 38 ? 'fore' : 'back'] = colour;
      at += length;
    } else if (code >= 30 && code <= 37) look.fore = code - 30;
    else if (code >= 40 && code <= 47) look.back = code - 40;
    else if (code >= 90 && code <= 97) look.fore = code - 82;
    else if (code >= 100 && code <= 107) look.back = code - 92;
    else Object.assign(look, SWITCHES[code]);
  }
  return Object.fromEntries(Object.entries(look).filter(([, value]) => value !== undefined));
}

/** One of 256 colours, or any. */
function extended(codes: number[]): { colour: number | string | undefined; length: number } {
  const isByte = (value: number | undefined): value is number => value !== undefined && value >= 0 && value <= 255;
  if (codes[0] === 5) return { colour: isByte(codes[1]) ? of256(codes[1]) : undefined, length: 2 };
  if (codes[0] === 2) {
    const parts = codes.slice(1, 4);
    return { colour: parts.length === 3 && parts.every(isByte) ? hex(parts) : undefined, length: 4 };
  }
  return { colour: undefined, length: codes.length };
}

function of256(at: number): number | string {
  if (at < 16) return at;
  if (at >= 232) return hex(Array(3).fill(8 + (at - 232) * 10));
  const cube = at - 16;
  return hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((part) => CUBE[part] ?? 0));
}

function hex(parts: number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
