/** Requests to the controller, typed by its OpenAPI document. Owns how errors look; keeps no state. */

import type { components, paths } from './schema';

export type Schemas = components['schemas'];

type Method = 'get' | 'post' | 'put' | 'delete';
type Operation<M extends Method, P extends keyof paths> = paths[P][M];
type PathsWith<M extends Method> = {
  [P in keyof paths]: Operation<M, P> extends { responses: unknown } ? P : never;
}[keyof paths];

type Json<R> = R extends { content: { 'application/json': infer T } } ? T : undefined;
type Success = 200 | 201 | 202 | 204;
type Answer<O> = O extends { responses: infer R } ? { [S in keyof R & Success]: Json<R[S]> }[keyof R & Success] : never;
type BodyOf<O> = O extends { requestBody?: { content: { 'application/json': infer B } } } ? B : undefined;
type PathOf<O> = O extends { parameters: { path: infer P } } ? P : undefined;
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Q : undefined;

type Options<O> = {
  query?: QueryOf<O>;
  signal?: AbortSignal;
  headers?: Record<string, string>;
} & (PathOf<O> extends undefined ? { path?: undefined } : { path: PathOf<O> }) &
  (BodyOf<O> extends undefined ? { body?: undefined } : { body?: BodyOf<O> });

type Rest<O> = PathOf<O> extends undefined ? [options?: Options<O>] : [options: Options<O>];

/** Why a request was refused or did not arrive. `code` is the API's, or `offline`, or `unreadable`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** The field of the request that is wrong, as the API calls it. */
  readonly field: string | undefined;
  /** The operation that ended with this error. */
  readonly operation: string | undefined;
  /** The container that took the place of the one asked for. */
  readonly replacedBy: string | undefined;
  /** What the container printed last that failed. */
  readonly log: readonly string[];
  /** After how many seconds it may be tried again, if the server says so. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, more: Partial<Schemas['ErrorBody']> = {}, retry?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = more.field ?? undefined;
    this.operation = more.operation ?? undefined;
    this.replacedBy = more.replaced_by ?? undefined;
    this.log = more.log ?? [];
    this.retryAfter = retry;
  }

  get isOffline(): boolean {
    return this.code === 'offline';
  }
}

let whenLoggedOut: () => void = () => {};

/** Says what is done when the server no longer knows the session. */
export function loggedOut(callback: () => void): void {
  whenLoggedOut = callback;
}

/** The address of a path of the API, relative to where the console is served. */
export function address(path: string, query?: Record<string, unknown>): URL {
  const url = new URL(path.replace(/^\//, ''), document.baseURI);
  url.hash = '';
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value));
  }
  return url;
}

interface Plain {
  path?: Record<string, unknown> | undefined;
  query?: Record<string, unknown> | undefined;
  body?: unknown;
  /** A body that is no JSON. */
  bytes?: Blob | undefined;
  signal?: AbortSignal | undefined;
  headers?: Record<string, string> | undefined;
}

/** The error of an answer that is no JSON, or breaks off. */
export function unreadable(status: number): ApiError {
  return new ApiError(status, 'unreadable', 'The answer broke off or was not JSON: is there a proxy in between?');
}

/** Any request at all, answered as JSON: for routes that the types do not know. */
export async function request<T>(method: string, path: string, options: Plain = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as T;
  try {
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw unreadable(response.status);
  }
}

/** The same with the answer as it comes: for files and streams. A refusal is thrown as an `ApiError`. */
export async function send(method: string, path: string, options: Plain = {}): Promise<Response> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(options.path?.[name] ?? '')),
  );
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
  const init: RequestInit = { method: method.toUpperCase(), headers, credentials: 'same-origin', cache: 'no-store' };
  if (options.signal) init.signal = options.signal;
  if (options.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  } else if (options.bytes) {
    init.body = options.bytes;
  }
  let response: Response;
  try {
    response = await fetch(address(filled, options.query), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    // A line that swallows everything, or nobody at its end.
    throw new ApiError(0, 'offline', 'The controller does not answer.');
  }
  if (response.ok) return response;
  const refusal = await refusalOf(response);
  // A log-in that is refused ends no session.
  if (refusal.status === 401 && !(path === '/auth/session' && method === 'post')) whenLoggedOut();
  throw refusal;
}

async function refusalOf(response: Response): Promise<ApiError> {
  const after = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  const retry = Number.isFinite(after) ? after : undefined;
  try {
    const body = (await response.json()) as Schemas['ErrorBody'];
    if (typeof body.code === 'string' && typeof body.message === 'string') {
      return new ApiError(response.status, body.code, body.message, body, retry);
    }
  } catch {
    // Not ours: a proxy's page, perhaps.
  }
  return new ApiError(response.status, 'unreadable', `${response.status} ${response.statusText}`.trim(), {}, retry);
}

export function get<P extends PathsWith<'get'>>(path: P, ...rest: Rest<Operation<'get', P>>) {
  return request<Answer<Operation<'get', P>>>('get', path, rest[0] as Plain);
}

export function post<P extends PathsWith<'post'>>(path: P, ...rest: Rest<Operation<'post', P>>) {
  return request<Answer<Operation<'post', P>>>('post', path, rest[0] as Plain);
}

export function put<P extends PathsWith<'put'>>(path: P, ...rest: Rest<Operation<'put', P>>) {
  return request<Answer<Operation<'put', P>>>('put', path, rest[0] as Plain);
}

export function del<P extends PathsWith<'delete'>>(path: P, ...rest: Rest<Operation<'delete', P>>) {
  return request<Answer<Operation<'delete', P>>>('delete', path, rest[0] as Plain);
}
