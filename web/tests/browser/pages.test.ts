/** Each page by its role: who sees it, and what is wrong with it for whom. */

import { api } from './api';
import { admin, enter, expect, settled, test, visit } from './console';
import { ann, hal, type Person, vic } from './people';
import { declared, places } from './pages';

test('every page of the console is tested', () => {
  const known = new Map(places.map((place) => [place.pattern, place.permission]));
  for (const { path, permission } of declared()) {
    expect([...known.keys(), '/terminals/:id'], 'the list of places').toContain(path);
    if (known.has(path)) expect(permission, path).toBe(known.get(path));
  }
});

const FORBIDDEN = /Your role does not show this page/;

for (const [role, of] of [
  ['an administrator', undefined],
  ['a user', ann],
  ['somebody who may only look', vic],
  ['somebody who may see hosts only', hal],
] as const) {
  test(`${role} sees the pages of that role, and is told which are not`, async ({ page, home, pool }) => {
    const who: Person = of ?? admin(pool);
    await enter(page, home, who);
    const { permissions } = (await (await page.request.get(`${home}auth/session`)).json()) as { permissions: string[] };
    for (const { name, permission, address } of places) {
      await visit(page, await address());
      const isShown = permission === undefined || permissions.includes(permission);
      await expect(page.getByRole('heading', { name: FORBIDDEN }), name).toHaveCount(isShown ? 0 : 1);
      await expect(page.getByText('This page could not be loaded'), name).toHaveCount(0);
      await expect(page, name).toHaveTitle(/\S.* – Pierhead$|^Pierhead$/);
      // What cannot be done is not offered.
      if (!permissions.includes('write-containers')) {
        await expect(
          page.getByRole('button', { name: /^(Deploy|Scale|Destroy|Stop|Restart|Delete)/ }),
          name,
        ).toHaveCount(0);
      }
      if (!permissions.includes('write-engines')) {
        await expect(page.getByRole('button', { name: /^(Cordon|Drain|Remove host|Add a host)/ }), name).toHaveCount(0);
      }
    }
  });
}

test('an address that leads nowhere says so', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool));
  for (const place of ['/nothing', '/apps/web/nothing', '/%E0%A4%A', '/<script>ran()</script>']) {
    await visit(page, place);
    await expect(page.getByRole('heading', { name: 'There is no such page' }), place).toBeVisible();
  }
  for (const place of ['/apps/no-such-app', '/hosts/no-such-host', '/containers/000000000000']) {
    await visit(page, place);
    await expect(
      page.getByText(/no such|there is no|not found|no app|no host|no container/i).first(),
      place,
    ).toBeVisible();
  }
});

test('what somebody else does shows by itself', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), '/apps');
  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await api('PUT', '/api/apps/sudden?wait=60', {
    image: { name: 'pierhead/sample:1', cpus: 0.05, memory: 16 },
    replicas: 1,
  });
  await expect(page.getByRole('link', { name: 'sudden' })).toBeVisible();
  await api('DELETE', '/api/apps/sudden?wait=60');
  await expect(page.getByRole('link', { name: 'sudden' })).toHaveCount(0);
  expect(
    requests.filter((path) => path === '/'),
    'the page was never loaded anew',
  ).toEqual([]);
});

test('a page that nothing happens on asks for nothing', async ({ page, home, pool }) => {
  const begun = new Date(Date.now() - 10_000).toISOString();
  await enter(page, home, admin(pool), '/settings');
  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  // There is nothing to wait for: the absence is the point.
  await page.waitForTimeout(3000);
  // A message that another test sends does happen: each may be looked for once.
  const sent = await api<unknown[]>('GET', `/api/events?type=send-message&since=${begun}`);
  const isLook = (path: string) => path === '/api/messages';
  expect(requests.filter((path) => !isLook(path))).toEqual([]);
  expect(requests.filter(isLook).length).toBeLessThanOrEqual(sent.length);
});

test('the first page loads within 250 kB', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool));
  await settled(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  session.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength));
  const names: string[] = [];
  page.on('response', (response) => {
    const { 'content-encoding': coding = '', 'content-length': length = '0' } = response.headers();
    names.push(`${response.url()} ${length} ${coding}`);
  });
  await page.reload({ waitUntil: 'load' });
  await settled(page);
  expect(bytes, names.join('\n')).toBeGreaterThan(10_000);
  expect(bytes, names.join('\n')).toBeLessThan(250_000);
  expect(names.join('\n')).not.toMatch(/xterm/i);
  // What is very short is not worth a coding.
  for (const script of names.filter((name) => /\.(js|css) \d{4,} /.test(name))) expect(script).toMatch(/ (gzip|br)$/);
});
