import { describe, expect, test } from 'vitest';
import { bytesOf, textOf } from './text';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the bytes of a file', () => {
  test.each(['', 'a', 'a\n', 'a\r\nb\r\n', '\n\n', '\r\n', '文\n', '\ufeffwith a mark\n', 'no end'])(
    'come back as they were if nothing is typed: %j',
    (text) => {
      const found = textOf(bytes(text));
      expect(found).toBeDefined();
      expect(found?.text).not.toContain('\r');
      expect([...bytesOf(found?.text ?? '', found?.ends ?? '\n')]).toEqual([...bytes(text)]);
    },
  );

  test('are no text if they are none, or their lines end in several ways', () => {
    expect(textOf(new Uint8Array([0x61, 0xff]))).toBeUndefined();
    for (const text of ['a\0b', 'a\r\nb\n', 'a\nb\r\n', 'a\rb', 'a\r\nb\rc\r\n']) {
      expect(textOf(bytes(text)), JSON.stringify(text)).toBeUndefined();
    }
  });

  test('have the ends of lines that they had also where something was typed', () => {
    const found = textOf(bytes('a\r\n'));
    expect(new TextDecoder().decode(bytesOf(`${found?.text}b\n`, found?.ends ?? '\n'))).toBe('a\r\nb\r\n');
  });
});
