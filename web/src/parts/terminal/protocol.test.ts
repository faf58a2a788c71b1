import { describe, expect, test } from 'vitest';
import { readMessage, readOutput, writeOutput } from './protocol';

describe('messages of the server', () => {
  const viewer = { id: 'v1', username: 'ann', role: 'driver', since: 1_795_299_006_120 };

  test('are taken if they are whole', () => {
    const hello = { type: 'hello', terminal: 't', you: 'v1', role: 'driver', columns: 80, rows: 24, offset: 7 };
    const whole = { ...hello, driver: 'v1', viewers: [viewer] };
    expect(readMessage(JSON.stringify(whole))).toEqual(whole);
    expect(readMessage('{"type":"exit","code":null,"reason":"the host went away"}')).toMatchObject({ code: null });
    expect(readMessage('{"type":"pong","id":3,"later":"more"}')).toMatchObject({ id: 3 });
  });

  test.each([
    'no json',
    'null',
    '7',
    '{}',
    '{"type":"unheard_of"}',
    '{"type":"constructor"}',
    '{"type":"hello"}',
    '{"type":"size","columns":"80","rows":24}',
    '{"type":"presence","driver":null,"viewers":{}}',
    '{"type":"asks","viewer":null,"username":"ann"}',
    '{"type":"snapshot","offset":0,"columns":80,"rows":24}',
  ])('%s is passed over', (text) => {
    expect(readMessage(text)).toBeNull();
  });
});

describe('output', () => {
  test('stands at its offset', () => {
    const bytes = new Uint8Array([0, 1, 255]);
    for (const offset of [0, 255, 2 ** 32, 2 ** 52 + 1]) {
      expect(readOutput(writeOutput(offset, bytes))).toEqual({ offset, bytes });
    }
    expect([...new Uint8Array(writeOutput(258, bytes))]).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 0, 1, 255]);
  });

  test('may be empty, but has an offset', () => {
    expect(readOutput(writeOutput(4, new Uint8Array()))?.bytes.length).toBe(0);
    expect(readOutput(new ArrayBuffer(7))).toBeNull();
  });
});
