/** Server-sent events over `fetch`: unlike `EventSource` it tells refusals apart and hears the server's signs of life. */

import { send } from './api';

export interface Sent {
  /** `message` unless the server named it. */
  type: string;
  id: string | undefined;
  data: string;
}

export interface Listener {
  /** The stream is open. */
  open?(): void;
  /** Something came, be it only a sign of life. */
  heard?(): void;
  event(sent: Sent): void;
}

/** Follows a stream until it ends (returns), breaks, or is refused (throws an `ApiError` or what `fetch` throws). */
export async function follow(
  path: string,
  listener: Listener,
  options: { signal: AbortSignal; query?: Record<string, unknown>; lastId?: string | undefined },
): Promise<void> {
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (options.lastId) headers['last-event-id'] = options.lastId;
  const response = await send('get', path, { signal: options.signal, query: options.query, headers });
  if (!response.body) return;
  listener.open?.();
  const feed = parser((sent) => listener.event(sent));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    listener.heard?.();
    feed(value);
  }
}

/** Takes text in pieces cut anywhere, and gives whole events. */
export function parser(give: (sent: Sent) => void): (text: string) => void {
  let rest = '';
  let type = '';
  let id: string | undefined;
  let data: string[] = [];
  const line = (text: string) => {
    if (text === '') {
      if (data.length > 0) give({ type: type || 'message', id, data: data.join('\n') });
      type = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id') id = value;
  };
  return (text) => {
    rest += text;
    let from = 0;
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n', from)) {
      line(rest.slice(from, at).replace(/\r$/, ''));
      from = at + 1;
    }
    rest = rest.slice(from);
  };
}
