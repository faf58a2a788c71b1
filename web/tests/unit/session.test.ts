/** Who is logged in, and what is said when that ends by itself. */

import { afterEach, expect, test, vi } from 'vitest';
import { Session } from '../../src/lib/session.svelte';

afterEach(() => vi.unstubAllGlobals());

async function loggedIn(): Promise<Session> {
  const answer = { username: 'ann', role: 'user', permissions: [] };
  vi.stubGlobal('document', { baseURI: 'https://pool.example/' });
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(answer), { status: 200 }));
  const session = new Session();
  await session.logIn('ann', 'a password');
  return session;
}

test('that a session ended is said however many answers say so', async () => {
  const session = await loggedIn();
  session.ended();
  session.ended();
  expect([session.who, session.expired]).toEqual([null, true]);
});

test('an answer that breaks off is said, and not taken for nobody', async () => {
  vi.stubGlobal('document', { baseURI: 'https://pool.example/' });
  vi.stubGlobal('fetch', async () => new Response('{"username": "an', { status: 200 }));
  const session = new Session();
  await session.load();
  expect([session.who, session.error?.code]).toEqual([undefined, 'unreadable']);
});

test('who was never logged in is told of no end', () => {
  const session = new Session();
  session.ended();
  expect(session.expired).toBe(false);
});

test('who logs in or out again is told of it no more', async () => {
  const session = await loggedIn();
  session.ended();
  await session.logIn('ann', 'a password');
  expect(session.expired).toBe(false);
  await session.logOut();
  expect([session.who, session.expired]).toEqual([null, false]);
});
