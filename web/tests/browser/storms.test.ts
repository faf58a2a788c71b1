/** When things go wrong: the console says what, and is well again by itself. It stands last, as it breaks the pool. */

import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { api, type App, type Engine, eventually } from './api';
import { admin, enter, expect, test, visit } from './console';
import { pool as shared } from './place';
import { Line } from './proxy';

const BANNER = /The controller does not answer/;

test.describe('behind a line that breaks', () => {
  let line: Line;
  test.beforeAll(async () => {
    line = await Line.to(shared().url);
  });
  test.afterAll(() => line.close());
  test.use({
    // eslint-disable-next-line no-empty-pattern
    home: async ({}, use) => use(line.home),
  });

  test('a lost connection is told, and heals by itself', async ({ page, home, pool }) => {
    await enter(page, home, admin(pool), '/apps');
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    line.cut();
    await expect(page.getByText(BANNER).first()).toBeVisible({ timeout: 60_000 });
    // What was known is still shown.
    await expect(page.getByRole('link', { name: 'web', exact: true })).toBeVisible();
    await api('PUT', '/api/apps/meanwhile?wait=60', { image: { name: 'pierhead/sample:1', cpus: 0.05, memory: 16 } });
    line.mend();
    await expect(page.getByText(BANNER)).toHaveCount(0, { timeout: 60_000 });
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    await expect(page.getByRole('link', { name: 'meanwhile' })).toBeVisible();
    await api('DELETE', '/api/apps/meanwhile?wait=60');
    await expect(page.getByRole('link', { name: 'meanwhile' })).toHaveCount(0);
  });

  test('a page that is opened while nothing answers says so, and comes', async ({ page, home, pool }) => {
    await enter(page, home, admin(pool), '/');
    line.cut();
    await page.evaluate(() => (location.hash = '/hosts'));
    await expect(page.getByText(BANNER).first()).toBeVisible({ timeout: 60_000 });
    line.mend();
    await expect(page.getByText(BANNER)).toHaveCount(0, { timeout: 90_000 });
    await expect(page.getByText('host-1').first()).toBeVisible();
  });

  test('on a slow line a page says that it waits', async ({ page, home, pool }) => {
    await enter(page, home, admin(pool), '/settings');
    line.slow(1500);
    await page.evaluate(() => (location.hash = '/containers'));
    await expect(page.locator('main [aria-busy="true"]').first()).toBeVisible();
    line.slow(0);
    await expect(page.getByRole('table').first()).toBeVisible({ timeout: 60_000 });
  });
});

test('what the controller refuses is said in its words, and nothing changes', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/apps/web');
  const before = await api<App>('GET', '/api/apps/web');
  await page.route('**/api/apps/web/scale*', (route) =>
    route.fulfill({ status: 409, json: { code: 'no_room', message: 'no room on any of 3 hosts: all lack memory' } }),
  );
  await page.getByRole('spinbutton').first().fill('5');
  await page.getByRole('button', { name: 'Scale to 5' }).click();
  await expect(page.getByText('no room on any of 3 hosts').first()).toBeVisible();
  expect((await api<App>('GET', '/api/apps/web')).replicas).toBe(before.replicas);
});

test('a host that dies is seen at once, and its containers are seen to move', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/');
  const host = pool.hosts.at(-1);
  if (!host) throw new Error('there is no host');
  process.kill(host.pid, 'SIGKILL');
  await expect(page.getByText(new RegExp(`${host.name}.*(down|off|died|answer)`)).first()).toBeVisible({
    timeout: 60_000,
  });
  await visit(page, `/hosts/${host.name}`);
  await expect(page.getByText(/down|does not answer|died/i).first()).toBeVisible();
  await visit(page, '/apps/web');
  const web = await eventually('web runs elsewhere', async () => {
    const app = await api<App>('GET', '/api/apps/web');
    return app.running === app.replicas && app.slots.every((slot) => slot.engine !== host.name) ? app : undefined;
  });
  expect(web.running).toBe(web.replicas);
  await expect(page.getByRole('table').first()).not.toContainText(host.name, { timeout: 60_000 });
  const engines = await api<Engine[]>('GET', '/api/engines');
  expect(engines.find((engine) => engine.id === host.name)?.health.status).toBe('down');
});

test('a controller that is killed and comes back finds the page where it was', async ({ page, home, pool }) => {
  const [controller] = pool.controllers;
  if (!controller) throw new Error('there is no controller');
  await enter(page, home, admin(pool), '/containers');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  const argv = readFileSync(`/proc/${controller.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  process.kill(controller.pid, 'SIGKILL');
  await expect(page.getByText(BANNER).first()).toBeVisible({ timeout: 60_000 });

  // The same controller, where it was. Only the console's address must be the same again.
  const [program = '', ...flags] = argv.map((flag, at) =>
    argv[at - 1] === '--listen' ? new URL(pool.url).host : flag,
  );
  const log = openSync(join(pool.dir, 'controller-again.log'), 'a');
  const again = spawn(program, flags, { stdio: ['ignore', log, log] });
  try {
    await eventually('the controller answers', async () => (await fetch(`${pool.url}/healthz`)).ok);
    await expect(page.getByText(BANNER)).toHaveCount(0, { timeout: 90_000 });
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    await expect(page).toHaveURL(/#\/containers$/);
    await api('DELETE', '/api/apps/talk?wait=60');
    await expect(page.getByText('talk', { exact: true })).toHaveCount(0, { timeout: 60_000 });
  } finally {
    const ended = new Promise((done) => again.once('exit', done));
    again.kill('SIGTERM');
    await ended;
  }
});
