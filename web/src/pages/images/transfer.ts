/** Sending an archive in with its progress, and the steps of a spread. No drawing. */

import { address, ApiError, send, type Schemas } from '../../lib/api';

export type Image = Schemas['ImageView'];

/** What is new of one host while an image is spread; the last one of each says `done` or `failed`. */
export interface Step {
  engine: string;
  state: 'waiting' | 'loading' | 'done' | 'failed';
  /** 0 to 100. */
  percent: number;
  message?: string;
}

export interface Progress {
  /** Bytes. */
  sent: number;
  all: number;
  /** Bytes a second, of the last seconds; 0 until it is known. */
  rate: number;
}

const RATE_OVER_MS = 5_000;

/** How fast something goes, of what was done lately. */
export class Pace {
  #marks: { at: number; done: number }[] = [];

  /** Bytes a second after one more mark; `at` in milliseconds. */
  mark(at: number, done: number): number {
    this.#marks.push({ at, done });
    while (this.#marks.length > 2 && at - (this.#marks[1]?.at ?? at) >= RATE_OVER_MS) this.#marks.shift();
    const first = this.#marks[0];
    if (!first || at <= first.at) return 0;
    return ((done - first.done) * 1000) / (at - first.at);
  }
}

/** Sends an archive. `fetch` does not tell how far it is, so this is the older way. */
export function upload(file: Blob, told: (progress: Progress) => void, signal: AbortSignal): Promise<Image> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const pace = new Pace();
    request.open('POST', address('/api/images'));
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('content-type', 'application/x-tar');
    request.upload.onprogress = ({ loaded }) =>
      told({ sent: loaded, all: file.size, rate: pace.mark(performance.now(), loaded) });
    request.onerror = () => failed(new ApiError(0, 'offline', 'The controller does not answer.'));
    request.onabort = () => failed(new DOMException('called off', 'AbortError'));
    request.onload = () => {
      try {
        done(answered(request.status, request.responseText));
      } catch (error) {
        failed(error as Error);
      }
    };
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** What an answer says: the image, or why it was not taken. */
export function answered(status: number, text: string): Image {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  if (status >= 200 && status < 300 && body) return body as Image;
  const refusal = (body ?? {}) as Partial<Schemas['ErrorBody']>;
  throw new ApiError(status, refusal.code ?? 'unreadable', refusal.message ?? String(status), refusal);
}

/** Spreads an image to hosts and tells each step; whoever aborts calls it off. */
export async function spread(
  id: string,
  engines: readonly string[],
  told: (step: Step) => void,
  signal: AbortSignal,
): Promise<void> {
  const query = new URLSearchParams(engines.map((engine) => ['engine', engine]));
  const path = `/api/images/${encodeURIComponent(id)}/spread?${query}`;
  const response = await send('post', path, { signal });
  const take = steps(told);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const read = await reader?.read();
    if (!read || read.done) return take('\n');
    take(read.value);
  }
}

/** Takes text cut anywhere, and gives a step for each whole line. */
export function steps(told: (step: Step) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') told(JSON.parse(line) as Step);
  };
}

/** What an image is called. */
export function nameOf(image: Image): string {
  return image.tags[0] ?? image.archive?.tags[0] ?? '';
}

/** The first digits of its id. */
export function shortId(image: Pick<Image, 'id'>): string {
  return image.id.replace(/^sha256:/, '').slice(0, 12);
}
