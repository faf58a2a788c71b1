/** Who may come in, and how they are told that they may not. */

import { api } from './api';
import { admin, enter, expect, fillIn, settled, test } from './console';
import { ann, lou, ned, sue } from './people';

test('the right password opens the console, and logging out closes it', async ({ page, home, pool }) => {
  await page.goto(home);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await fillIn(page, admin(pool));
  await settled(page);
  await expect(page.getByRole('navigation').first()).toBeVisible();
  // The session is the server's: scripts can't read it.
  expect(await page.evaluate(() => document.cookie)).toBe('');

  await page.getByRole('button', { name: /admin/ }).click();
  await page
    .getByRole('menuitem', { name: 'Log out' })
    .or(page.getByRole('button', { name: 'Log out' }))
    .click();
  await expect(page.getByLabel(/^User name/)).toBeVisible();
  expect((await page.request.get(`${home}api/engines`)).status()).toBe(401);
});

test('a wrong password says so, and nothing about whether there is such an account', async ({ page, home }) => {
  const said: string[] = [];
  for (const username of [ann.username, 'nobody-at-all']) {
    await page.goto(home);
    await fillIn(page, { username, password: 'a wrong password' });
    await expect(page.getByRole('alert').filter({ hasText: /\w/ })).toBeVisible();
    said.push((await page.getByRole('alert').filter({ hasText: /\w/ }).textContent()) ?? '');
  }
  expect(said[0]).toBe(said[1]);
});

test('too many attempts lock an account for a while, and the page says for how long', async ({ page, home }) => {
  await page.goto(home);
  for (let attempt = 0; attempt < 30; attempt++) {
    const answer = page.waitForResponse(
      (response) => response.url().endsWith('/auth/session') && response.request().method() === 'POST',
    );
    await fillIn(page, { ...lou, password: `wrong ${attempt}` });
    if ((await answer).status() === 429) break;
    // While an attempt is under way the form sends none.
    await expect(page.getByRole('button', { name: 'Log in' })).not.toHaveAttribute('aria-busy');
  }
  await expect(page.getByRole('alert').filter({ hasText: /\d+/ })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Log in' })).toBeDisabled();
});

test('a session that was ended leads to the log-in, and after it back to the same page', async ({ page, home }) => {
  await enter(page, home, ned, '/apps/web');
  const sessions = await api<{ id: string; session: boolean }[]>('GET', `/api/tokens?username=${ned.username}`);
  const session = sessions.filter((token) => token.session).at(-1);
  expect(session, JSON.stringify(sessions)).toBeTruthy();
  await api('DELETE', `/api/tokens/${session?.id}`);
  await expect(page.getByLabel(/^User name/)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('status').filter({ hasText: /ended|expired/i })).toBeVisible();
  await fillIn(page, ned);
  await settled(page);
  expect(new URL(page.url()).hash).toBe('#/apps/web');
});

test('an address with a token in it logs nobody in', async ({ page, home, pool }) => {
  for (const query of [`?token=${pool.token}`, `?access_token=${pool.token}`, `#/?token=${pool.token}`]) {
    await page.goto(`${home}${query}`);
    await expect(page.getByLabel(/^User name/)).toBeVisible();
    expect(await page.context().cookies()).toEqual([]);
  }
});

test('a student comes to their courses, and from there to what is theirs', async ({ page, home }) => {
  const refused: string[] = [];
  page.on('response', (response) => {
    if (response.status() === 403) refused.push(response.url());
  });
  await enter(page, home, sue);
  await expect(page.getByRole('heading', { level: 1, name: 'Courses' })).toBeVisible();
  expect(new URL(page.url()).hash).toBe('#/courses');
  for (const name of ['Workspaces', 'Labs']) {
    await page.getByRole('navigation').first().getByRole('link', { name, exact: true }).click();
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  }
  expect(refused, 'nothing is asked for that they may not see').toEqual([]);
});
