/** Coming in by a provider of log-ins, a real one. */

import { test as base } from '@playwright/test';
import { serious } from './axe';
import { expect, settled } from './console';
import { Identity, Served } from './identity';
import { ann } from './people';

const { password } = ann;

const test = base.extend<object, { served: Served }>({
  served: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const identity = await Identity.start();
      try {
        const served = await Served.by(identity, password);
        try {
          await served.add(password, { username: 'li', password, role: { name: 'user' } });
          await use(served);
        } finally {
          await served.stop();
        }
      } finally {
        await identity.stop();
      }
    },
    { scope: 'worker', timeout: 180_000 },
  ],
});

test('whoever the school knows lands where they wanted to be', async ({ page, served }) => {
  await page.goto(`${served.home}/#/workspaces`);
  const by = page.getByRole('link', { name: 'Log in with School' });
  await expect(by).toBeVisible();
  expect(await serious(page)).toEqual([]);
  await by.click();
  await page.getByLabel('Who').fill('li');
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.waitForURL(`${served.home}/#/workspaces`);
  await settled(page);
  await expect(page.getByRole('button', { name: /li/ }).first()).toBeVisible();
  // Nothing is left of the log-in but the session, and scripts see neither.
  expect((await page.context().cookies(served.home)).map(({ name }) => name)).toEqual(['pierhead']);
  expect(await page.evaluate(() => document.cookie)).toBe('');
});

test('whom nobody knows here is told what to do, in both languages', async ({ page, served }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await page.goto(served.home);
  await page.getByRole('link', { name: 'Log in with School' }).click();
  await page.getByLabel('Who').fill('zhou');
  await page.getByRole('button', { name: 'Come in' }).click();
  await expect(page.getByRole('heading', { name: /You are not known here yet/ })).toBeVisible();
  await expect(page.getByText('There is no account zhou. Ask your teacher')).toBeVisible();
  await expect(page.locator('p[lang="zh"]')).toContainText('zhou');
  expect(await serious(page)).toEqual([]);
  expect((await page.context().cookies(served.home)).filter(({ name }) => name === 'pierhead')).toEqual([]);
  // What one came back with is worth nothing a second time.
  await page.reload();
  await expect(page.getByRole('heading', { name: /This log-in was not begun here/ })).toBeVisible();
  await page.getByRole('link', { name: 'Pierhead' }).click();
  await expect(page.getByLabel(/^User name/)).toBeVisible();
});
