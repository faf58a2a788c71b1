/** Text of strangers, wherever it can be written: it is shown, and nothing of it runs, loads or leads away. */

import { api, type App, type Container, eventually, sample } from './api';
import { admin, enter, expect, test, visit } from './console';
import { corpus } from './corpus';
import { containerOf, places } from './pages';

/** Proof that the checks below can fail: this does run where it is let. */
test('the watch sees what runs', async ({ browser }) => {
  const context = await browser.newContext();
  const ran: string[] = [];
  await context.exposeFunction('ran', () => void ran.push('ran'));
  const page = await context.newPage();
  await page.setContent('<p></p>');
  await page.evaluate((texts) => (document.querySelector('p')!.innerHTML = texts.join('')), corpus);
  await expect.poll(() => ran.length).toBeGreaterThan(0);
  await context.close();
});

test('what is written into an app’s description does nothing', async ({ page, home, pool }) => {
  const environment = Object.fromEntries(corpus.map((text, at) => [`HOSTILE_${at}`, text]));
  const labels: string[] = [];
  const image = sample({
    environment,
    labels,
    hostname: 'web',
    user_data: { hostile: [...corpus] },
    entrypoint: ['sh', '-c', 'sleep 3600', ...corpus],
  });
  await api('PUT', '/api/apps/strange?wait=60', { image, replicas: 1 });
  await enter(page, home, admin(pool), '/apps/strange');
  await expect(page.getByRole('main')).toContainText('strange');
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click();
    await expect(tab).toHaveAttribute('aria-selected', 'true');
  }
  for (const { address, name } of places) {
    await visit(page, await address());
    await expect(page.locator('main iframe, main script, main object, main base, main svg[onload]'), name).toHaveCount(
      0,
    );
  }
  const { id } = await containerOf('strange');
  await visit(page, `/containers/${id}`);
  await expect(page.getByText('strange').first()).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('strange');
  await expect(page.getByRole('option').first()).toBeVisible();
  await page.keyboard.press('Escape');
  await api('DELETE', '/api/apps/strange?wait=60');
});

test('what a container logs does nothing', async ({ page, home, pool }) => {
  const { id } = await containerOf('hostile');
  await enter(page, home, admin(pool), `/containers/${id}`);
  const logs = page.getByRole('tab', { name: /Logs/ });
  if ((await logs.count()) > 0) await logs.click();
  await expect(page.getByText('<script>ran()</script>', { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.locator('main a[href^="javascript:"], main a[href^="data:"]')).toHaveCount(0);
});

test('an address full of markup is only text', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool));
  for (const text of corpus) {
    for (const place of [`/apps/${encodeURIComponent(text)}`, `/containers?filter=${encodeURIComponent(text)}`]) {
      await visit(page, place);
    }
  }
});

test('an error of the server is only text', async ({ page, home, pool }) => {
  await page.route('**/api/apps', (route) =>
    route.fulfill({ status: 503, json: { code: corpus[2], message: corpus.join(' ') } }),
  );
  await enter(page, home, admin(pool), '/apps');
  await expect(page.getByText('<script>ran()</script>').first()).toBeVisible();
});

test('a description in a file that is opened elsewhere is no page', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool));
  const { id } = await containerOf('hostile');
  // As if somebody had followed a link to what a program printed.
  const answer = await page.goto(`${home}api/containers/${id}/logs?tail=50`);
  expect(answer?.headers()['x-content-type-options']).toBe('nosniff');
  await expect(page.locator('script, iframe, img')).toHaveCount(0);
  const apps = await eventually('apps', async () => await api<App[]>('GET', '/api/apps'));
  const containers = await api<Container[]>('GET', '/api/containers');
  expect(apps.length * containers.length).toBeGreaterThan(0);
});
