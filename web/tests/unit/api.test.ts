import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { address, ApiError, get, loggedOut, post, put } from '../../src/lib/api';
import { at, elsewhere } from '../../src/lib/failed';
import { advice } from '../../src/messages/failures';

const fetched = vi.fn<(url: URL, init: RequestInit) => Promise<Response>>();

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal('fetch', fetched);
  vi.stubGlobal('document', { baseURI: 'https://pool.example/behind/a/prefix/#/apps?x=1' });
});
afterEach(() => {
  vi.unstubAllGlobals();
  loggedOut(() => {});
});

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const refused = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) throw new Error(`not refused: ${String(error)}`);
  return error;
};

describe('addresses', () => {
  test('are relative to where the console is served', () => {
    expect(address('/api/apps').href).toBe('https://pool.example/behind/a/prefix/api/apps');
    expect(address('/api/events', { app: 'a b', count: 0, none: undefined, empty: '' }).search).toBe(
      '?app=a+b&count=0',
    );
  });

  test('hold names in one piece', async () => {
    fetched.mockResolvedValue(json(200, {}));
    await get('/api/apps/{name}', { path: { name: '../x?y' } });
    expect(fetched.mock.calls[0]?.[0].pathname).toBe('/behind/a/prefix/api/apps/..%2Fx%3Fy');
  });
});

describe('requests', () => {
  test('that are answered by half are refused in words', async () => {
    const half = new ReadableStream({ pull: (body) => body.error(new TypeError('network error')) });
    fetched.mockResolvedValueOnce(new Response(half));
    expect(await refused(get('/api/apps'))).toMatchObject({ code: 'unreadable', status: 200 });
    fetched.mockResolvedValueOnce(new Response('<html>'));
    expect((await refused(get('/api/apps'))).code).toBe('unreadable');
  });

  test('send JSON with a body, and none without', async () => {
    fetched.mockImplementation(async () => new Response(null, { status: 204 }));
    const answer = await put('/api/account/{username}', { path: { username: 'li' }, body: { role: { name: 'user' } } });
    expect(answer).toBeUndefined();
    const init = fetched.mock.calls[0]?.[1];
    expect([init?.method, init?.body]).toEqual(['PUT', '{"role":{"name":"user"}}']);
    expect(new Headers(init?.headers).get('content-type')).toBe('application/json');
    await post('/api/cluster/thaw');
    expect(fetched.mock.calls[1]?.[1].body).toBeUndefined();
  });

  test('are refused with code, field and when to come back', async () => {
    fetched.mockResolvedValue(
      json(429, { code: 'too_many_attempts', message: 'later', field: 'x' }, { 'retry-after': '30' }),
    );
    const error = await refused(get('/api/apps'));
    expect([error.status, error.code, error.message, error.field, error.retryAfter]).toEqual([
      429,
      'too_many_attempts',
      'later',
      'x',
      30,
    ]);
    expect(advice(error)).toBe('slower');
  });

  test('tell a proxy’s page and silence from the controller', async () => {
    fetched.mockResolvedValueOnce(new Response('<html>', { status: 502, statusText: 'Bad Gateway' }));
    expect(await refused(get('/api/apps'))).toMatchObject({ code: 'unreadable', message: '502 Bad Gateway' });
    fetched.mockResolvedValueOnce(new Response('<html>', { status: 200 }));
    expect((await refused(get('/api/apps'))).code).toBe('unreadable');
    fetched.mockRejectedValueOnce(new TypeError('fetch failed'));
    expect(await refused(get('/api/apps'))).toMatchObject({ code: 'offline', isOffline: true });
  });

  test('that are called off stay called off', async () => {
    fetched.mockRejectedValueOnce(new DOMException('no', 'AbortError'));
    await expect(get('/api/apps')).rejects.toThrow(DOMException);
  });

  test('say when the session is gone, but not at a wrong password', async () => {
    const ended = vi.fn();
    loggedOut(ended);
    fetched.mockImplementation(async () => json(401, { code: 'unauthenticated', message: 'no token' }));
    await refused(post('/auth/session', { body: { username: 'a', password: 'b' } }));
    expect(ended).not.toHaveBeenCalled();
    await refused(get('/api/apps'));
    expect(ended).toHaveBeenCalledOnce();
  });
});

describe('errors in forms', () => {
  const error = new ApiError(400, 'invalid', 'role.name must be a role', { field: 'role.name' });
  test('stand at their field or by themselves', () => {
    expect([at(error, 'role'), at(error, 'username'), at(undefined, 'role')]).toEqual([
      'role.name must be a role',
      undefined,
      undefined,
    ]);
    expect([elsewhere(error, 'role'), elsewhere(error, 'username')]).toEqual([undefined, error]);
  });
});
