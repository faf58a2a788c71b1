import { describe, expect, test } from 'vitest';
import {
  Lines,
  LogRefused,
  LogSource,
  LONGEST_LINE,
  named,
  Seen,
  SeenOfMany,
  type Answer,
  type SourcePorts,
  type Wanted,
} from './source';

const stamp = (nanos: number) => `2026-01-01T00:00:00.${String(nanos).padStart(9, '0')}Z`;

/** A server that answers what it is told to, in order. */
class Server implements SourcePorts {
  readonly asked: Wanted[] = [];
  readonly seen: string[] = [];
  readonly phases: string[] = [];
  waits: number[] = [];
  breaks = 0;
  source = new LogSource(this, 100);
  readonly #answers: (() => Promise<Answer>)[];

  constructor(...answers: (() => Promise<Answer>)[]) {
    this.#answers = answers;
  }

  fetch(wanted: Wanted): Promise<Answer> {
    this.asked.push(wanted);
    const answer = this.#answers.shift();
    return answer ? answer() : Promise.reject(new LogRefused('nothing more to answer'));
  }

  lines(raws: readonly string[]): void {
    this.seen.push(...raws);
  }

  broke(): void {
    this.breaks += 1;
  }

  changed(): void {
    this.phases.push(this.source.state.phase);
  }

  wait(ms: number): Promise<void> {
    this.waits.push(ms);
    return Promise.resolve();
  }

  /** Follows until nothing happens any more. */
  async follow(): Promise<this> {
    this.source.start();
    for (let turn = 0; turn < 300; turn += 1) await Promise.resolve();
    return this;
  }
}

const says =
  (texts: string[], end: 'closed' | 'broken' = 'closed', goneSince: string | null = null) =>
  async (): Promise<Answer> => {
    async function* body() {
      for (const text of texts) yield new TextEncoder().encode(text);
      if (end === 'broken') throw new TypeError('network error');
    }
    return { body: body(), goneSince };
  };
const fails = (error: Error) => () => Promise.reject(error);

describe('lines', () => {
  test('are whole, wherever the text was cut', () => {
    const lines = new Lines();
    expect(lines.take('a\nb')).toEqual(['a']);
    expect(lines.take('c\n\nd\n')).toEqual(['bc', '', 'd']);
    expect(lines.take('e')).toEqual([]);
    expect([lines.end(), lines.end()]).toEqual([['e'], []]);
  });

  test('without an end come in pieces', () => {
    const lines = new Lines();
    const long = 'x'.repeat(LONGEST_LINE + 10);
    expect(lines.take(long).map((piece) => piece.length)).toEqual([LONGEST_LINE, 10]);
    expect(lines.take(`${long}\ny`).map((piece) => piece.length)).toEqual([LONGEST_LINE, 10]);
    expect(lines.end()).toEqual(['y']);
  });

  test('that were seen are not new, and those of the same moment are told apart', () => {
    const seen = new Seen();
    const first = [`${stamp(1)} a`, `${stamp(2)} b`, `${stamp(2)} b`];
    expect(seen.fresh(first)).toEqual(first);
    expect(seen.since).toBe(stamp(2));
    seen.again();
    expect(seen.fresh([...first, `${stamp(2)} c`, `${stamp(3)} d`])).toEqual([`${stamp(2)} c`, `${stamp(3)} d`]);
    seen.again();
    expect(seen.fresh([`${stamp(3)} d`, `${stamp(3)} e`, 'no moment'])).toEqual([`${stamp(3)} e`, 'no moment']);
  });
});

describe('lines of several containers', () => {
  test('name theirs', () => {
    expect(named('web.0.1 2026 a b')).toEqual({ name: 'web.0.1', raw: '2026 a b' });
    expect(named('# web.0.1 has ended')).toEqual({ name: '#', raw: 'web.0.1 has ended' });
    expect(named('odd')).toEqual({ name: '#', raw: 'odd' });
  });

  test('are asked for from a minute back, and none comes twice', () => {
    const seen = new SeenOfMany();
    expect(seen.since).toBe(null);
    const first = [`a ${stamp(5)} x`, `b ${stamp(3)} y`, '# a has ended', `a ${stamp(5)} x`];
    expect(seen.fresh(first)).toEqual(first);
    expect(seen.since).toBe('2025-12-31T23:59:00.000Z');
    seen.again();
    const again = [...first, `b ${stamp(2)} old`, `b ${stamp(4)} late`, `a ${stamp(5)} third`];
    expect(seen.fresh(again)).toEqual(['# a has ended', `b ${stamp(4)} late`, `a ${stamp(5)} third`]);
  });
});

describe('a log', () => {
  test('is read to its end, in characters that were cut in the middle', async () => {
    const bytes = new TextEncoder().encode(`${stamp(1)} 文`);
    const cut = async (): Promise<Answer> => {
      async function* body() {
        yield bytes.slice(0, -1);
        yield bytes.slice(-1);
      }
      return { body: body(), goneSince: null };
    };
    const server = await new Server(cut).follow();
    expect(server.seen).toEqual([`${stamp(1)} 文`]);
    expect(server.asked).toEqual([{ tail: 100, since: null }]);
    expect(server.source.state).toEqual({ phase: 'ended', goneSince: null });
    expect(server.phases).toEqual(['following', 'ended']);
  });

  test('that breaks off goes on where it was, and says so', async () => {
    const server = await new Server(
      says([`${stamp(1)} a\n${stamp(2)} b\n${stamp(2)} hal`], 'broken'),
      fails(new TypeError('no network')),
      says([`${stamp(2)} b\n${stamp(2)} half\n${stamp(3)} c\n`]),
    ).follow();
    expect(server.seen).toEqual([`${stamp(1)} a`, `${stamp(2)} b`, `${stamp(2)} half`, `${stamp(3)} c`]);
    expect(server.asked.slice(1)).toEqual([
      { tail: null, since: stamp(2) },
      { tail: null, since: stamp(2) },
    ]);
    expect(server.breaks).toBe(1);
    expect(server.waits).toEqual([500, 1000]);
    expect(server.phases).toEqual(['following', 'cut', 'cut', 'following', 'ended']);
  });

  test('that may not be read is not asked for again', async () => {
    const server = await new Server(fails(new LogRefused('only its owner reads it'))).follow();
    expect(server.source.state).toEqual({ phase: 'refused', message: 'only its owner reads it' });
    expect(server.asked.length).toBe(1);
  });

  test('of a container that is gone says since when', async () => {
    const server = await new Server(says([`${stamp(1)} last\n`], 'closed', stamp(9))).follow();
    expect(server.source.state).toEqual({ phase: 'ended', goneSince: stamp(9) });
  });

  test('that ended is followed again when it is woken', async () => {
    const server = await new Server(says([`${stamp(1)} a\n`]), says([`${stamp(1)} a\n${stamp(5)} b\n`])).follow();
    server.source.wake();
    await server.follow();
    expect(server.seen).toEqual([`${stamp(1)} a`, `${stamp(5)} b`]);
  });

  test('that is stopped stays so', async () => {
    const server = new Server(says([`${stamp(1)} a\n`], 'broken'), says([`${stamp(2)} b\n`]));
    server.source.start();
    server.source.stop();
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    expect(server.source.state).toEqual({ phase: 'stopped' });
    expect(server.asked.length).toBe(1);
  });
});
