/** The API as a program uses it: to make what pages show, and to see whether what was done by a page was done. */

import { pool } from './place';

export interface App {
  name: string;
  replicas: number;
  running: number;
  slots: { slot: number; state: string; engine?: string; container?: string }[];
}
export interface Container {
  id: string;
  name: string;
  app?: string;
  state: string;
  engine: { id: string };
}
export interface Engine {
  id: string;
  health: { status: string };
}

/** A request with a token; an answer that is not a success is an error. */
export async function api<T>(
  method: string,
  path: string,
  body?: unknown,
  token = pool().token,
  headers: Record<string, string> = {},
): Promise<T> {
  const text = await textOf(method, path, body, token, headers);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** The same where the answer is no JSON. */
export async function textOf(
  method: string,
  path: string,
  body?: unknown,
  token = pool().token,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await fetch(`${pool().url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text;
}

/** Puts the bytes of a file somewhere, as they are. */
export async function putText(path: string, text: string, headers: Record<string, string> = {}, token = pool().token) {
  const answer = await fetch(`${pool().url}${path}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: text,
  });
  if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
}

const tokens = new Map<string, string>();

/** A token of somebody, the same one for all tests of a worker: who logs in often is asked to wait. */
export async function tokenOf(username: string, password: string): Promise<string> {
  const who = `${username}:${password}`;
  const token = tokens.get(who) ?? (await api<{ token: string }>('POST', '/auth/login', { username, password })).token;
  tokens.set(who, token);
  return token;
}

/** Waits for what will be true; what is thrown meanwhile is not yet an error. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  seconds = 90,
): Promise<T> {
  const until = Date.now() + seconds * 1000;
  let last: unknown;
  while (Date.now() < until) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${seconds} s: ${what}`, { cause: last });
}

const SAMPLE = 'pierhead/sample:1';

/** What a container of the sample image is; `more` overrides. */
export function sample(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: SAMPLE, cpus: 0.1, memory: 32, ...more };
}

/** A container that does what a shell is told. */
export function shell(script: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return sample({ entrypoint: ['sh', '-c'], args: [script], ...more });
}

export async function deploy(name: string, image: unknown, replicas = 1, token?: string): Promise<void> {
  await api('PUT', `/api/apps/${name}?wait=60`, { image, replicas }, token);
}
