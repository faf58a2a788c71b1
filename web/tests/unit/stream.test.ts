import { describe, expect, test } from 'vitest';
import { parser, type Sent } from '../../src/lib/stream';

const TEXT =
  ': open\n\nid: 1\ndata: {"a":1}\n\nid: 2\r\nevent: stats\r\ndata: one\r\ndata: two\r\n\r\n: still here\n\ndata:  spaced\n\nunknown: x\n\n';
const SENT: Sent[] = [
  { type: 'message', id: '1', data: '{"a":1}' },
  { type: 'stats', id: '2', data: 'one\ntwo' },
  { type: 'message', id: '2', data: ' spaced' },
];

describe('server-sent events', () => {
  test('are the same however the text is cut', () => {
    for (let size = 1; size <= TEXT.length; size += 1) {
      const sent: Sent[] = [];
      const feed = parser((one) => sent.push(one));
      for (let at = 0; at < TEXT.length; at += size) feed(TEXT.slice(at, at + size));
      expect(sent, `pieces of ${size}`).toEqual(SENT);
    }
  });

  test('count when they are whole only', () => {
    const sent: Sent[] = [];
    parser((one) => sent.push(one))('data: half');
    expect(sent).toEqual([]);
  });
});
