/** The console without a mouse. */

import type { Page } from '@playwright/test';
import { admin, enter, expect, fillIn, settled, test } from './console';
import { declared } from './pages';

/** What has the focus, in words. */
async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    if (!element || element === document.body) return '';
    return (element.getAttribute('aria-label') ?? element.innerText ?? '').trim() || element.tagName.toLowerCase();
  });
}

test('somebody logs in, finds an app, and comes back, by keys alone', async ({ page, home, pool }) => {
  await page.goto(home);
  // The first field has the focus.
  await expect(page.getByLabel('User name')).toBeFocused();
  await page.keyboard.type(admin(pool).username);
  await page.keyboard.press('Tab');
  await page.keyboard.type(admin(pool).password);
  await page.keyboard.press('Enter');
  await settled(page);

  await page.keyboard.press('Control+k');
  const search = page.getByRole('combobox');
  await expect(search).toBeFocused();
  await page.keyboard.type('web');
  await expect(page.getByRole('option', { name: /web/ }).first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#\/apps\/web$/);
  await settled(page);
  await page.goBack();
  await settled(page);
  await expect(page).toHaveURL(/\/(#\/?)?$/);
});

test('the palette finds pages and is left by Escape', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool));
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox')).toBeFocused();
  await page.keyboard.type('settings');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('combobox')).toHaveCount(0);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('My settings');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#\/settings$/);
});

test('? shows the keys, j and k go through a list, / filters it', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/apps');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await page.keyboard.press('j');
  const first = await focused(page);
  await page.keyboard.press('j');
  const second = await focused(page);
  expect(first).not.toBe('');
  expect(second).not.toBe(first);
  await page.keyboard.press('k');
  expect(await focused(page)).toBe(first);

  await page.keyboard.press('/');
  await page.keyboard.type('talk');
  await expect(page).toHaveURL(/filter=talk/);
  await expect(page.getByRole('link', { name: 'talk', exact: true })).toBeVisible();
  await expect(page.getByRole('link', { name: 'web', exact: true })).toHaveCount(0);
});

test('the first stop is a way past the navigation, and every stop can be seen', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/apps/web');
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const stops: string[] = [];
  for (let at = 0; at < 40; at++) {
    await page.keyboard.press('Tab');
    const stop = await focused(page);
    if (stop === '') break;
    stops.push(stop);
    const shown = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const style = getComputedStyle(element);
      const { width, height } = element.getBoundingClientRect();
      const hasRing = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 1;
      return { isThere: width > 1 && height > 1, hasRing: hasRing || style.boxShadow !== 'none' };
    });
    expect(shown, stop).toEqual({ isThere: true, hasRing: true });
  }
  expect(stops.length).toBeGreaterThan(8);
});

test('g and a letter lead to the pages', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/settings');
  for (const [letter, address] of [
    ['a', /#\/apps$/],
    ['h', /#\/hosts$/],
    ['o', /#\/$/],
  ] as const) {
    // The letter has to follow soon.
    await expect(async () => {
      await page.keyboard.press('g');
      await page.keyboard.press(letter);
      await expect(page).toHaveURL(address, { timeout: 5_000 });
    }).toPass({ timeout: 60_000 });
    await settled(page);
  }
  expect(declared().length).toBeGreaterThan(5);
});

test('letters do nothing where somebody types', async ({ page, home, pool }) => {
  await page.goto(home);
  await fillIn(page, admin(pool));
  await settled(page);
  await page.evaluate(() => (location.hash = '/apps'));
  await settled(page);
  await page.getByRole('searchbox').first().focus();
  await page.keyboard.type('gh?jk');
  await expect(page).toHaveURL(/#\/apps\?filter=gh/);
  await expect(page.getByRole('dialog')).toHaveCount(0);
});
