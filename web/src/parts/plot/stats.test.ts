import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { until } from '../../../tests/unit/until';
import { Stats, type Subject } from './stats.svelte';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const at = (second: number) => new Date(T0 + second * 1000).toISOString();
const use = (id: string, cpu_cores: number) => ({
  id,
  cpu_cores,
  memory_bytes: 1,
  rx_bytes_s: 0,
  tx_bytes_s: 0,
  read_bytes_s: 0,
  write_bytes_s: 0,
});
const container = (id: string): Subject => ({ kind: 'container', id, name: id });

/** A controller with figures: what its stream says is said by `tell`. */
class Controller {
  asked: string[] = [];
  history = new Map<string, unknown>();
  status = 200;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;

  fetch = async (url: URL, init: RequestInit): Promise<Response> => {
    this.asked.push(`${url.pathname}${url.search}`);
    if (this.status !== 200) return Response.json({ code: 'refused', message: 'no' }, { status: this.status });
    if (url.pathname.endsWith('/stream')) {
      const body = new ReadableStream<Uint8Array>({ start: (stream) => void (this.#stream = stream) });
      init.signal?.addEventListener('abort', () => this.#stream?.error(new DOMException('called off', 'AbortError')));
      return new Response(body);
    }
    const series = this.history.get(url.search);
    return series ? Response.json({ series }) : Response.json({ code: 'not_found', message: 'none' }, { status: 404 });
  };

  tell(second: number, containers: unknown[], engines: unknown[] = []) {
    const data = JSON.stringify({ at: at(second), engines, containers });
    this.#stream?.enqueue(new TextEncoder().encode(`event: stats\ndata: ${data}\n\n`));
  }
}

let controller: Controller;
beforeEach(() => {
  controller = new Controller();
  vi.stubGlobal('document', {
    baseURI: 'https://pool.example/',
    visibilityState: 'visible',
    addEventListener: () => {},
    removeEventListener: () => {},
  });
  vi.stubGlobal('fetch', controller.fetch);
});
afterEach(() => void vi.unstubAllGlobals());

const cpu = (stats: Stats, index: number) => stats.figures(index)?.drawn(300, T0 / 1000 + 100).values.cpu_cores;

describe('figures of one container', () => {
  test('go on from their history by a stream of its own', async () => {
    controller.history.set('?container=c1', [{ interval_s: 1, points: [{ ...use('c1', 0.5), at: at(1) }] }]);
    const stats = new Stats([container('c1')]);
    const end = stats.start();
    await until(() => expect(stats.isLive).toBe(true));
    expect(controller.asked).toEqual(['/api/stats/history?container=c1', '/api/stats/stream?container=c1']);
    controller.tell(2, [{ ...use('c1', 0.75), memory_limit: 64 }]);
    await until(() => expect(cpu(stats, 0)).toEqual([0.5, 0.75]));
    expect(stats.limit(0)).toBe(64);
    end();
  });

  test('may be refused, which is said and not tried again', async () => {
    controller.status = 403;
    const stats = new Stats([container('c1')]);
    const end = stats.start();
    await until(() => expect(stats.error?.code).toBe('refused'));
    expect([stats.isLive, controller.asked.length]).toEqual([false, 1]);
    end();
  });
});

test('several share one stream, and one without a history keeps nobody from theirs', async () => {
  controller.history.set('?container=c1', [{ interval_s: 1, points: [{ ...use('c1', 1), at: at(1) }] }]);
  const stats = new Stats([container('c1'), container('c2'), { kind: 'engine', id: 'c1', name: 'a host' }]);
  const end = stats.start();
  await until(() => expect(stats.isLive).toBe(true));
  expect(controller.asked.at(-1)).toBe('/api/stats/stream');
  controller.tell(2, [use('c2', 2), use('c1', 1.5), use('c9', 9)], [use('c1', 16)]);
  await until(() => expect(cpu(stats, 1)).toEqual([2]));
  expect(cpu(stats, 0)).toEqual([1, 1.5]);
  expect(cpu(stats, 2)).toEqual([16]);
  end();
});
