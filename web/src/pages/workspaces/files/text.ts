/** The text of a file: whether it is one, and that nothing else of it changes than what was typed. */

/** The longest text that is shown, in bytes. */
export const LONGEST = 1_048_576;

export interface Text {
  text: string;
  /** How its lines end; a field for text knows one way only. */
  ends: '\n' | '\r\n';
}

/** The text of these bytes; nothing if they are none, or its lines end in more than one way. */
export function textOf(bytes: ArrayBuffer | Uint8Array): Text | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
  if (text.includes('\0')) return undefined;
  const lines = text.split('\r\n');
  if (lines.length === 1) return text.includes('\r') ? undefined : { text, ends: '\n' };
  if (lines.some((line) => /[\r\n]/.test(line))) return undefined;
  return { text: lines.join('\n'), ends: '\r\n' };
}

/** The bytes of a text that was typed. */
export function bytesOf(text: string, ends: Text['ends']): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(ends === '\n' ? text : text.replaceAll('\n', ends));
}
