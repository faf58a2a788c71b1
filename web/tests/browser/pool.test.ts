/** The pool and what runs in it: what is drawn, what is asked beforehand, and what is done. */

import type { Page } from '@playwright/test';
import { api, type App, deploy, eventually, sample } from './api';
import { admin, enter, expect, settled, test, visit } from './console';

const box = (page: Page, host: string) =>
  page.getByRole('listitem').filter({ has: page.getByRole('link', { name: new RegExp(`^${host}: `) }) });
const apps = () => api<App[]>('GET', '/api/apps');
const appNamed = async (name: string) => (await apps()).find((app) => app.name === name);

test('hosts are drawn with what is reserved and used, and an app stands out when it is pointed at', async ({
  page,
  home,
  pool,
}) => {
  await enter(page, home, admin(pool));
  await expect(page.getByRole('heading', { level: 1 })).toContainText('All 3 hosts are well.');
  for (const host of ['host-1', 'host-2', 'host-3']) {
    await expect(box(page, host).locator('.ground')).toHaveCount(2);
    await expect(box(page, host).locator('.used').first(), 'figures come by themselves').toBeAttached();
  }
  await page.getByRole('link', { name: /^web/ }).first().hover();
  await expect(page.locator('path.bright').first()).toBeAttached();
  const segment = page.locator('path.bright').first();
  const place = await segment.boundingBox();
  if (!place) throw new Error('nothing is drawn');
  // A pointer arrives in more than one step.
  await page.mouse.move(place.x + 2, place.y + place.height / 2, { steps: 8 });
  await page.mouse.move(place.x + 4, place.y + place.height / 2);
  await expect(page.locator('.pointed')).toContainText(/web, slot \d/);
});

test('what a docker run line says is deployed where it was drawn, scaled, taken back, changed and deleted', async ({
  page,
  home,
  pool,
}) => {
  await enter(page, home, admin(pool), '/deploy');
  await page.getByRole('button', { name: 'Paste a docker run line' }).click();
  const line = 'docker run -d --name till -p 80 --memory 32m --cpus 0.05 -e COLOUR=red pierhead/sample:1';
  await page.getByLabel('Paste a docker run line').fill(line);
  await page.getByRole('button', { name: 'Fill in' }).click();
  await page.getByLabel('Replicas').fill('2');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/^It fits: \d on host-\d/);
  await expect(page.locator('path.ghost').first()).toBeAttached();
  await page.getByRole('button', { name: 'Deploy 2 replicas' }).click();
  await expect(page).toHaveURL(/#\/apps\/till$/);
  await expect(page.getByText('It serves on all 2 of 2 slots.')).toBeVisible();

  await page.getByRole('spinbutton', { name: 'Replicas' }).fill('3');
  await expect(page.getByText('There is room for 1 more.')).toBeVisible();
  await expect(page.locator('path.ghost').first()).toBeAttached();
  await page.getByRole('button', { name: 'Scale to 3' }).click();
  await expect(page.getByText('It serves on all 3 of 3 slots.')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('It serves on all 2 of 2 slots.')).toBeVisible();
  expect((await appNamed('till'))?.replicas).toBe(2);

  await page.getByRole('link', { name: 'Change…' }).click();
  await expect(page.getByText('Nothing differs from what runs.')).toBeVisible();
  await page.getByText('Environment', { exact: true }).click();
  await page.getByLabel('Value').fill('blue');
  await expect(page.getByRole('row').filter({ hasText: 'COLOUR' })).toContainText('redblue');
  await page.getByRole('button', { name: 'Apply 1 change' }).click();
  await eventually('the new description runs', async () => {
    const app = await api<{ image: { environment: Record<string, string> }; message?: string }>(
      'GET',
      '/api/apps/till',
    );
    return app.image.environment.COLOUR === 'blue' && !app.message;
  });

  await visit(page, '/apps/till');
  await page.getByRole('button', { name: 'More', exact: true }).last().click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  const destroy = page.getByRole('dialog').getByRole('button', { name: 'Delete till' });
  await expect(page.getByRole('dialog')).toContainText('2 containers will be stopped and removed');
  await expect(destroy).toBeDisabled();
  await page.getByRole('dialog').getByRole('textbox').fill('till');
  await destroy.click();
  await expect(page).toHaveURL(/#\/apps$/);
  await eventually('it is gone', async () => !(await appNamed('till')));
});

test('the logs of all replicas are one, and one that comes later is in it', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/apps/talk?tab=logs');
  const log = page.getByRole('region', { name: 'Log of talk' });
  for (const slot of [0, 1]) await expect(log.getByText(new RegExp(`^talk\\.${slot}\\.\\d+$`)).first()).toBeVisible();
  await api('POST', '/api/apps/talk/scale?count=3&wait=60');
  await expect(log.getByText(/^talk\.2\.\d+$/).first()).toBeVisible();
  await page.getByRole('button', { name: 'Containers', exact: true }).click();
  await page.getByRole('menuitemradio', { name: /^talk\.2/ }).click();
  await expect(log.getByText(/^talk\.2\.\d+$/)).toHaveCount(0);
  await api('POST', '/api/apps/talk/scale?count=2&wait=60');
  await expect(page.getByText(/talk\.2\.\d+ writes nothing more/)).toBeVisible();
});

test('what is wrong is told at its field, and what does not fit is told per host before and after it is asked', async ({
  page,
  home,
  pool,
}) => {
  await enter(page, home, admin(pool), '/deploy');
  await page.getByRole('combobox', { name: 'Image' }).fill('pierhead/sample:1');
  await page.getByLabel('Cores', { exact: true }).fill('-3');
  await expect(page.getByRole('alert')).toContainText('cpus must be a number of cores');
  await expect(page.getByLabel('Cores', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('Cores', { exact: true }).fill('900');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('It does not fit on any host.');
  await expect(page.getByRole('listitem').filter({ hasText: 'too little CPU' })).toHaveCount(3);
  await page.getByRole('button', { name: 'Deploy 1 replica' }).click();
  await expect(page.getByRole('alert')).toContainText('no room on any of 3 hosts');
  expect(await appNamed('sample')).toBeUndefined();

  await page.getByLabel('Cores', { exact: true }).fill('0.05');
  await page.getByLabel('Name of the app').fill('Not A Name');
  await page.getByRole('button', { name: 'Deploy 1 replica' }).click();
  await expect(page.getByLabel('Name of the app')).toHaveAttribute('aria-invalid', 'true');
});

test('a host shows what would become of it, is cordoned, drained and put back', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/hosts/host-2');
  await page.getByRole('button', { name: 'What if it is lost?' }).click();
  await expect(page.getByText(/The other hosts would carry|would not be missed/)).toBeVisible();
  await page.getByRole('button', { name: 'Back to the pool as it is' }).click();

  await page.getByRole('button', { name: 'More', exact: true }).last().click();
  await page.getByRole('menuitem', { name: 'Cordon' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('host-2 · cordoned');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('host-2 · well');

  await page.getByRole('button', { name: 'Drain…' }).click();
  await expect(page.getByRole('dialog')).toContainText(/would carry|would not be missed/);
  await page.getByRole('dialog').getByRole('button', { name: 'Drain host-2' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('host-2 · drained', { timeout: 90_000 });
  await expect(page.getByText('Nothing runs here.')).toBeVisible();
  await page.getByRole('button', { name: 'Put back into service' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('host-2 · well');

  await visit(page, '/rebalance');
  await settled(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/would even the load out|as even as they get/);
});

test('the load is evened out by the moves that were shown', async ({ page, home, pool }) => {
  const others = ['host-1', 'host-2'];
  for (const host of others) await api('POST', `/api/engines/${host}/cordon`);
  try {
    await deploy('lead', sample({ cpus: 0.4 }), 3);
  } finally {
    for (const host of others) await api('POST', `/api/engines/${host}/uncordon`);
  }
  const places = async () => ((await appNamed('lead'))?.slots ?? []).map((slot) => slot.engine);
  expect(await places()).toEqual(['host-3', 'host-3', 'host-3']);
  await enter(page, home, admin(pool), '/rebalance');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/would even the load out/);
  await expect(page.getByRole('table').first()).toContainText('lead');
  await expect(page.locator('path.ghost').first()).toBeAttached();
  await page.getByRole('button', { name: /^Move \d+ slots?$/ }).click();
  await expect(page).toHaveURL(/#\/hosts$/);
  await eventually('it is spread', async () => new Set(await places()).size > 1);
  await visit(page, '/rebalance');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/as even as they get/, { timeout: 90_000 });
  await api('DELETE', '/api/apps/lead?wait=60');
});

test('a command to join is made when it is asked for, with the labels that were typed', async ({
  page,
  home,
  pool,
}) => {
  await enter(page, home, admin(pool), '/add-host');
  await page.getByRole('button', { name: 'Make the command' }).click();
  await page.getByLabel('Labels').fill('ssd fast');
  await expect(page.getByText(/^pierhead agent --join pj1-\S+ --label ssd --label fast$/)).toBeVisible();
  await expect(page.getByText('Waiting for a host…')).toBeVisible();
  await page.getByRole('tab', { name: 'By the address of its Docker API' }).click();
  await page.getByRole('textbox', { name: 'Address' }).fill('ftp://nowhere');
  await page.getByRole('button', { name: 'Add the host' }).click();
  await expect(page.getByRole('textbox', { name: 'Address' })).toHaveAttribute('aria-invalid', 'true');
});
