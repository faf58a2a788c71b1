/** Terminals in the browser: two people in one, lines that break, and programs that print what they should not. */

import { api, eventually, textOf, tokenOf } from './api';
import { admin, enter, expect, test } from './console';
import { escapes } from './corpus';
import { containerOf, recordedTerminal } from './pages';
import { ann, vic } from './people';
import { pool as shared } from './place';
import { Line } from './proxy';
import { connected, screen, shows, type } from './screen';

interface Terminal {
  id: string;
  state: string;
  exit_code?: number;
}

/** Opens a terminal in ann's container, as hers. */
async function open(command?: string[]): Promise<Terminal> {
  const { id } = await containerOf('shop');
  const token = await tokenOf(ann.username, ann.password);
  return api<Terminal>(
    'POST',
    `/api/containers/${id}/terminals`,
    { columns: 100, rows: 30, ...(command ? { command } : {}) },
    token,
  );
}

test('two people share one shell, and one keyboard', async ({ page, another, home, pool }) => {
  const { id } = await open();
  await enter(page, home, ann, `/terminals/${id}`);
  await shows(page, /[#$] ?$/);
  await expect(page.getByText('You have the keyboard')).toBeVisible();
  await type(page, 'echo of-ann-$((20+1))');
  await shows(page, /^of-ann-21$/m);

  const other = await another();
  await enter(other, home, admin(pool), `/terminals/${id}`);
  await shows(other, /^of-ann-21$/m);
  await expect(other.getByText('ann has the keyboard')).toBeVisible();
  await expect(page.getByRole('list', { name: 'Who is here' })).toContainText('admin');

  await type(other, 'echo not-mine');
  await expect(other.getByText('Not sent: ann has the keyboard.')).toBeVisible();
  await other.getByRole('button', { name: 'Ask for the keyboard' }).click();
  const asked = page.getByRole('alert').filter({ hasText: 'admin asks for the keyboard.' });
  await asked.getByRole('button', { name: 'Give the keyboard' }).click();
  await expect(other.getByText('You have the keyboard')).toBeVisible();
  await expect(page.getByText('admin has the keyboard')).toBeVisible();
  await type(other, 'echo of-admin-$((20+2))');
  for (const one of [page, other]) {
    await shows(one, /^of-admin-22$/m);
    expect(await screen(one)).not.toContain('not-mine');
  }
  expect((await screen(page)).split('\n').filter((line) => /^of-/.test(line))).toEqual(['of-ann-21', 'of-admin-22']);

  await type(other, 'exit 3');
  for (const one of [page, other]) await expect(one.getByText('The shell ended with exit code 3.')).toBeVisible();
});

test('a terminal is there for those it is shared with, and no stranger', async ({ page, another, home }) => {
  const { id } = await open();
  const guest = await another();
  await enter(guest, home, vic, `/terminals/${id}`);
  await expect(guest.getByText(/not shared with you/).first()).toBeVisible();
  expect(await screen(guest)).toBe('');

  await enter(page, home, ann, `/terminals/${id}`);
  await type(page, 'echo for-guests-$((7*7))');
  await shows(page, /^for-guests-49$/m);
  const token = await tokenOf(ann.username, ann.password);
  await api('PUT', `/api/terminals/${id}/guests/${vic.username}`, { role: 'viewer' }, token);
  await guest.reload();
  await shows(guest, /^for-guests-49$/m);
  await expect(guest.getByRole('button', { name: /keyboard/ })).toHaveCount(0);

  await api('DELETE', `/api/terminals/${id}/guests/${vic.username}`, undefined, token);
  await expect(guest.getByText(/not shared with you any more|not shared with you/).first()).toBeVisible();
  await type(page, 'echo alone-$((7*8))');
  await shows(page, /^alone-56$/m);
  expect(await screen(guest)).not.toContain('alone-56');
  await api('DELETE', `/api/terminals/${id}`, undefined, token);
});

test('a reload, and another device, find the same shell as it was', async ({ page, another, home }) => {
  const { id } = await open();
  await enter(page, home, ann, `/terminals/${id}`);
  await type(page, 'KEPT=still; echo set-$((1+1))');
  await shows(page, /^set-2$/m);
  await page.reload();
  await shows(page, /^set-2$/m);
  await expect(
    page.getByText('You have the keyboard').or(page.getByRole('button', { name: 'Take the keyboard' })),
  ).toBeVisible();
  const take = page.getByRole('button', { name: 'Take the keyboard' });
  if (await take.isVisible()) await take.click();
  await connected(page);
  await type(page, 'echo $KEPT-there');
  await shows(page, /^still-there$/m);
  const phone = await another({ viewport: { width: 360, height: 780 } });
  await enter(phone, home, ann, `/terminals/${id}`);
  await shows(phone, /^still-there$/m);
  await type(page, 'exit');
  await expect(phone.getByText('The shell ended with exit code 0.')).toBeVisible();
});

test.describe('over a line that breaks', () => {
  let line: Line;
  test.beforeAll(async () => {
    line = await Line.to(shared().url);
  });
  test.afterAll(() => line.close());
  test.use({
    // eslint-disable-next-line no-empty-pattern
    home: async ({}, use) => use(line.home),
  });

  test('a cut in the middle of `yes` loses nothing, and Ctrl-C still ends it', async ({ page, home }) => {
    const { id } = await open();
    await enter(page, home, ann, `/terminals/${id}`);
    await shows(page, /[#$] ?$/);
    // A line that is not there, twice or torn shows in what is counted afterwards.
    await type(page, 'n=0; while [ $n -lt 6000 ]; do n=$((n+1)); echo "line $n"; done; echo counted-$((n))');
    await shows(page, /^line \d{2,}$/m);
    for (let times = 0; times < 3; times++) {
      line.cut();
      await expect(page.getByText('The connection was lost.').first()).toBeVisible();
      line.mend();
      await connected(page);
    }
    await shows(page, /^counted-6000$/m, 90);
    const lines = (await screen(page)).split('\n').filter((text) => text.startsWith('line '));
    const last = lines.map((text) => Number(text.slice(5)));
    expect(last.length).toBeGreaterThan(10);
    expect(last).toEqual(last.map((_, at) => 6000 - last.length + 1 + at));

    await type(page, 'busybox yes');
    await shows(page, /^(y\n){8,}/m);
    line.cut();
    await expect(page.getByText('The connection was lost.').first()).toBeVisible();
    line.mend();
    await connected(page);
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.press('Control+c');
    await shows(page, /\^C\n.*[#$] ?$/);
    await type(page, 'echo after-$((6*7))');
    await shows(page, /^after-42$/m);
    await type(page, 'exit');
    await expect(page.getByText('The shell ended with exit code 0.')).toBeVisible();
  });
});

test('a recording plays to its end, and goes to any moment', async ({ page, home, pool }) => {
  await enter(page, home, admin(pool), `/terminals/${await recordedTerminal()}/recording`);
  await shows(page, /^step 3\ndone$/m);
  const seek = page.getByRole('slider', { name: 'Moment' });
  // It stands at its end.
  const play = page.getByRole('button', { name: 'Play', exact: true });
  await expect(play).toBeVisible();
  await seek.press('Home');
  await expect.poll(() => screen(page)).toBe('');
  await play.click();
  await shows(page, /^step 3\ndone$/m);
  await expect(play).toBeVisible();
  await seek.press('Home');
  await seek.press('End');
  await shows(page, /^step 1\nstep 2\nstep 3\ndone/m);
});

test('what a program prints stays in its terminal', async ({ page, home }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(home).origin });
  const { id } = await open(['sh', '-c', 'printf "%s" "$0"; echo; exec sh', `${escapes.join('\r\n')}\r\nprinted`]);
  const token = await tokenOf(ann.username, ann.password);
  // What it asks the terminal is asked while nobody is there.
  await eventually('it has printed', async () =>
    (await textOf('GET', `/api/terminals/${id}/recording`, undefined, token)).includes('printed'),
  );
  await enter(page, home, ann, '/');
  await page.evaluate(() => navigator.clipboard.writeText('untouched'));
  await page.evaluate((to) => (location.hash = `/terminals/${to}`), id);
  await shows(page, /printed/);
  // What the terminal answered to questions was not typed into the shell as a command that somebody could choose.
  await type(page, '');
  // With the next prompt the shell asks where the cursor is.
  await shows(page, /[#$]\n.*[#$] ?$/);
  await type(page, 'echo still-mine-$((2+3))');
  await shows(page, /^still-mine-5$/m);
  expect(await screen(page)).not.toMatch(/not found/);
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('untouched');
  await expect(page.locator('main :is(script, iframe, img)')).toHaveCount(0);
  for (const text of ['a link', 'another', 'a third']) {
    const row = page.locator('.xterm-accessibility-tree > div').filter({ hasText: text }).first();
    if ((await row.count()) === 0) continue;
    const box = await row.boundingBox();
    if (box) await page.mouse.click(box.x + 20, box.y + box.height / 2, { modifiers: ['Control'] } as never);
    await expect(page.getByRole('dialog')).toHaveCount(0);
  }
  expect(page.context().pages()).toHaveLength(1);
  await api('DELETE', `/api/terminals/${id}`, undefined, token);
  await eventually('it is gone', async () => {
    const left = await api<Terminal[]>('GET', '/api/terminals');
    return left.every((one) => one.id !== id || one.state === 'ended');
  });
});

test('a terminal is opened from its container’s page, by keys alone', async ({ page, home, pool }) => {
  const { id } = await containerOf('web');
  await enter(page, home, admin(pool), `/containers/${id}`);
  const tab = page.getByRole('tab', { name: /Terminal/ });
  await tab.focus();
  await page.keyboard.press('Enter');
  const button = page.getByRole('button', { name: 'New terminal' }).first();
  await button.focus();
  await page.keyboard.press('Enter');
  await shows(page, /[#$] ?$/);
  await type(page, 'echo by-keys-$((8*8))');
  await shows(page, /^by-keys-64$/m);
  // The keyboard gets out again, although Tab belongs to the shell.
  await page.keyboard.press('Control+F6');
  await expect(page.locator('.xterm-helper-textarea')).not.toBeFocused();
  await page.locator('.xterm-helper-textarea').focus();
  await type(page, 'exit');
  await expect(page.getByText(/The shell ended/)).toBeVisible();
});
