/** Accounts, roles, tokens and settings: what a page says was done is done. */

import type { Page } from '@playwright/test';
import { api, tokenOf } from './api';
import { admin, enter, expect, fillIn, settled, test, visit } from './console';

interface Token {
  id: string;
  name: string;
  username: string;
  session: boolean;
}

const dialog = (page: Page) => page.getByRole('dialog');
const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

/** Chooses from the menu of a row. */
async function choose(page: Page, name: string, entry: string): Promise<void> {
  await row(page, name)
    .getByRole('button', { name: `Actions for ${name}` })
    .click();
  await page.getByRole('menuitem', { name: entry }).click();
}

test('an account is added, gets another role and back, and is deleted by its name', async ({
  page,
  another,
  home,
  pool,
}) => {
  await enter(page, home, admin(pool), '/accounts');
  await page.getByRole('button', { name: 'Add account' }).click();
  await dialog(page).getByLabel('User name').fill('no good/');
  await dialog(page).getByLabel('Password').fill('long enough');
  await dialog(page).getByRole('button', { name: 'Add account' }).click();
  await expect(dialog(page).getByRole('alert')).toContainText('A user name is');
  await dialog(page).getByLabel('User name').fill('mia');
  await dialog(page).getByRole('button', { name: 'Make one up' }).click();
  await dialog(page).getByRole('button', { name: 'Add account' }).click();
  const password = (await dialog(page).getByRole('region', { name: 'Password of mia' }).textContent()) ?? '';
  expect(password).toMatch(/^\w{20}$/);
  await page.keyboard.press('Escape');

  const herPage = await another();
  await herPage.goto(home);
  await fillIn(herPage, { username: 'mia', password });
  await settled(herPage);
  await visit(herPage, '/accounts');
  await expect(herPage.getByText('write-accounts')).toBeVisible();

  await choose(page, 'mia', 'Change role');
  await dialog(page).getByLabel('Role').selectOption('viewer');
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await expect(row(page, 'mia')).toContainText('viewer');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row(page, 'mia')).toContainText('user');
  const accounts = await api<{ username: string; role: { name: string } }[]>('GET', '/api/account');
  expect(accounts.find((account) => account.username === 'mia')?.role.name).toBe('user');

  await choose(page, 'mia', 'Delete');
  const destroy = dialog(page).getByRole('button', { name: 'Delete mia' });
  await expect(destroy).toBeDisabled();
  await dialog(page).getByRole('textbox').fill('mi');
  await expect(destroy).toBeDisabled();
  await dialog(page).getByRole('textbox').fill('mia');
  await destroy.click();
  await expect(row(page, 'mia')).toHaveCount(0);
  // Her session went with her account.
  await expect(herPage.getByLabel(/^User name/)).toBeVisible();
});

test('a role is made, changed and deleted, but not while somebody has it', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/roles');
  await page.getByRole('button', { name: 'Make a role' }).click();
  await dialog(page).getByLabel('Name').fill('night-watch');
  await dialog(page).getByLabel('Read the event log').check();
  await dialog(page).getByRole('button', { name: 'Make a role' }).click();
  await expect(row(page, 'night-watch')).toBeVisible();
  const permissions = async () =>
    (await api<{ permissions: string[] }>('GET', '/api/roles/night-watch')).permissions.toSorted();
  expect(await permissions()).toEqual(['read-cluster', 'read-engines', 'read-events']);

  await choose(page, 'night-watch', 'Change');
  await dialog(page).getByLabel('See hosts').uncheck();
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await expect(dialog(page)).toHaveCount(0);
  expect(await permissions()).toEqual(['read-cluster', 'read-events']);

  await api('POST', '/api/account', { username: 'nat', password: 'long enough', role: { name: 'night-watch' } });
  await choose(page, 'night-watch', 'Delete');
  await dialog(page).getByRole('textbox').fill('night-watch');
  await dialog(page).getByRole('button', { name: 'Delete night-watch' }).click();
  await expect(dialog(page).getByRole('alert')).toContainText('role_in_use');
  await api('DELETE', '/api/account/nat');
  await dialog(page).getByRole('button', { name: 'Delete night-watch' }).click();
  await expect(row(page, 'night-watch')).toHaveCount(0);
});

test('a token is shown once, works, and is worth nothing when it is revoked', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/tokens');
  await page.getByRole('button', { name: 'Make a token' }).click();
  await dialog(page).getByRole('button', { name: 'Make a token' }).click();
  await expect(dialog(page).getByRole('alert')).toHaveText('Give it a name.');
  await dialog(page).getByLabel('Name').fill('CI of the shop');
  await dialog(page).getByRole('button', { name: 'Make a token' }).click();
  const shown = dialog(page).getByRole('region', { name: 'The token, shown this once' });
  const token = (await shown.textContent()) ?? '';
  expect(await api('GET', '/api/engines', undefined, token)).toHaveLength(3);
  await dialog(page).getByRole('button', { name: 'I have it' }).click();
  await expect(row(page, 'CI of the shop')).toBeVisible();
  expect(await page.content()).not.toContain(token);

  await row(page, 'CI of the shop').getByRole('button', { name: 'Revoke CI of the shop' }).click();
  await dialog(page).getByRole('button', { name: 'Revoke' }).click();
  await expect(row(page, 'CI of the shop')).toHaveCount(0);
  await expect(api('GET', '/api/engines', undefined, token)).rejects.toThrow(/401/);
});

test('somebody changes their password, and sees only tokens of their own', async ({ page, another, home }) => {
  await api('POST', '/api/account', { username: 'pat', password: 'the first one', role: { name: 'user' } });
  const other = await another();
  await enter(other, home, { username: 'pat', password: 'the first one' });
  await enter(page, home, { username: 'pat', password: 'the first one' }, '/settings');
  const change = async (current: string, next: string, again: string) => {
    await page.getByLabel('Present password').fill(current);
    await page.getByLabel('New password', { exact: true }).fill(next);
    await page.getByLabel('New password again').fill(again);
    await page.getByRole('button', { name: 'Change password' }).click();
  };
  await change('the first one', 'the second one', 'the other one');
  await expect(page.getByRole('alert')).toHaveText('The two are not the same.');
  await change('not the first', 'the second one', 'the second one');
  await expect(page.getByRole('alert')).toHaveText('The present password is another one.');
  await change('the first one', 'the second one', 'the second one');
  await expect(page.getByText('Your password was changed.')).toBeVisible();
  // This session stays, others end.
  await expect(other.getByLabel(/^User name/)).toBeVisible();
  await visit(page, '/tokens?of=admin');
  await expect(page.getByRole('row')).toHaveCount(2);
  await expect(row(page, 'this browser')).toContainText('Chrome, Linux');
  const mine = await api<Token[]>('GET', '/api/tokens', undefined, await tokenOf('pat', 'the second one'));
  expect(mine.filter((token) => token.session)).toHaveLength(1);
  await api('DELETE', '/api/account/pat');
});

test('language, theme and keys are kept in the browser', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/settings');
  await page.getByLabel('Theme').selectOption('dark');
  await page.getByLabel('Keys of single letters').uncheck();
  await page.getByLabel('Dense tables').check();
  await page.getByLabel('Language').selectOption('zh');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('您是 admin');
  await page.reload();
  await settled(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('您是 admin');
  expect(
    await page.evaluate(() => [document.documentElement.lang, getComputedStyle(document.body).colorScheme]),
  ).toEqual(['zh-CN', 'dark']);
  await page.locator('main#content').focus();
  await page.keyboard.press('?');
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(page.url()).toContain('#/settings');
});
