/** Workspaces in the browser: described, opened, worked in, found again, and shared. */

import { api, tokenOf } from './api';
import { serious } from './axe';
import { enter, expect, test } from './console';
import { ann, vic } from './people';
import { connected, shows, type } from './screen';

interface Workspace {
  id: string;
  phase: string;
}

/** Deletes what the test made, also when it went wrong: a workspace holds room on a host. */
async function cleared(environment: string, token: string): Promise<void> {
  const left = await api<(Workspace & { environment: string })[]>('GET', '/api/workspaces', undefined, token);
  for (const { id } of left.filter((one) => one.environment === environment)) {
    await api('DELETE', `/api/workspaces/${id}?discard=true`, undefined, token);
  }
  await api('DELETE', `/api/environments/${environment}`, undefined, token);
}

test('an environment is described, opened, worked in, and found again as it was', async ({ page, another, home }) => {
  test.setTimeout(300_000);
  const token = await tokenOf(ann.username, ann.password);
  try {
    await enter(page, home, ann, '/new-environment');
    await page.getByRole('textbox', { name: 'Name' }).fill('Bench');
    await page.getByLabel('Image').fill('pierhead/sample:1');
    await page.getByLabel('CPU cores').fill('0.1');
    await page.getByLabel('Memory (MB)').fill('32');
    await page.getByRole('button', { name: 'Create the environment' }).click();
    // What is refused is told at its field, and nothing that was typed is gone.
    await expect(page.getByText(/^name must be/)).toBeVisible();
    await page.getByRole('textbox', { name: 'Name' }).fill('bench');
    await page.getByRole('button', { name: 'Create the environment' }).click();
    await expect(page.getByRole('heading', { name: 'bench', level: 1 })).toBeVisible();

    await page.getByRole('button', { name: 'Open a workspace of bench' }).click();
    await expect(page).toHaveURL(/#\/workspaces\/[a-z0-9]+/);
    // A prompt comes by itself.
    await shows(page, /[#$] ?$/, 120);
    await connected(page);
    await type(page, 'KEPT=still; echo set-$((1+1)) | tee /made');
    await shows(page, /^set-2$/m);
    const tabs = page.getByRole('tablist', { name: 'Terminals' }).getByRole('tab');
    await expect(tabs).toHaveCount(1);

    await page.reload();
    await shows(page, /^set-2$/m);
    await connected(page);
    await type(page, 'echo it-is-$KEPT-there');
    await shows(page, /^it-is-still-there$/m);
    await expect(tabs, 'no other terminal was opened').toHaveCount(1);

    // Somebody else comes when they are let, and only then.
    const guest = await another();
    const address = new URL(page.url()).hash.replace(/^#/, '').replace(/\?.*/, '');
    await enter(guest, home, vic, address);
    await expect(guest.getByText(/no workspace|no such workspace|not found/i).first()).toBeVisible();
    await page.getByRole('button', { name: 'Share…' }).click();
    await page.getByLabel('Account', { exact: true }).fill(vic.username);
    await page.getByRole('button', { name: 'Share with this account' }).click();
    await expect(page.getByRole('dialog').getByText('May look').last()).toBeVisible();
    await page.keyboard.press('Escape');
    await guest.reload();
    await expect(guest.getByRole('heading', { level: 1, name: 'bench' })).toBeVisible();
    await expect(guest.getByRole('button', { name: 'Save…' })).toHaveCount(0);
  } finally {
    await cleared('bench', token);
  }
});

test('files are made, changed, dropped, downloaded and removed, and nobody overwrites unawares', async ({
  page,
  home,
}) => {
  test.setTimeout(300_000);
  const token = await tokenOf(ann.username, ann.password);
  const containers = [{ image: 'pierhead/sample:1', cpus: 0.1, memory: 32 }];
  try {
    await api('POST', '/api/environments', { name: 'shelf', description: { containers } }, token);
    const { id } = await api<Workspace>('POST', '/api/workspaces', { environment: 'shelf' }, token);
    const content = `/api/workspaces/${id}/files/content?path=`;
    await expect
      .poll(async () => (await api<Workspace>('GET', `/api/workspaces/${id}`, undefined, token)).phase, {
        timeout: 120_000,
      })
      .toBe('ready');
    await enter(page, home, ann, `/workspaces/${id}?tab=files`);
    const tree = page.getByRole('tree', { name: 'Files' });
    const row = (name: string) => tree.getByRole('treeitem', { name });
    await expect(row('etc/')).toBeVisible();

    await page.getByRole('button', { name: 'New folder' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('a/b');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('alert')).toContainText('A name without /');
    await page.getByRole('textbox', { name: 'Name' }).fill('my 100%');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(row('my 100%/')).toHaveAttribute('aria-selected', 'true');

    // A new file opens by itself, and is saved by the usual key.
    await page.getByRole('button', { name: 'New file' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('notes.txt');
    await page.getByRole('button', { name: 'Create' }).click();
    const editor = page.getByRole('textbox', { name: 'notes.txt, text' });
    await editor.fill('mine\n');
    await expect(page.getByText('● not saved')).toBeVisible();
    await editor.press('Control+s');
    await expect(page.getByText('saved', { exact: true })).toBeVisible();
    await expect(row('notes.txt')).toContainText('5 B');

    // The workspace changes: its files are not read anew because of that, and what is open stays open.
    let listings = 0;
    page.on('request', (request) => (listings += Number(/\/files\?/.test(request.url()))));
    const heard = page.waitForResponse((response) => response.url().endsWith(`/api/workspaces/${id}`));
    await api('POST', `/api/workspaces/${id}/extend`, { minutes: 30 }, token);
    await heard;

    // Somebody else writes meanwhile: what was typed stays, and theirs too until one says so.
    await api('PUT', `${content}/my%20100%2525/notes.txt`, 'theirs', token);
    await editor.fill('mine again\n');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('Somebody changed this file meanwhile');
    await expect(editor).toHaveValue('mine again\n');
    expect(listings).toBe(0);
    expect(await serious(page)).toEqual([]);
    await page.getByRole('button', { name: 'Take theirs' }).click();
    await expect(editor).toHaveValue('"theirs"');
    await editor.fill('ours\n');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByText('saved', { exact: true })).toBeVisible();

    // Something is dropped on a folder, once more, and replaced when that is said.
    const drop = (text: string) =>
      row('my 100%/').evaluate((target, text) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([text], 'dropped.txt'));
        for (const type of ['dragenter', 'dragover', 'drop']) {
          target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        }
      }, text);
    await drop('first');
    await expect(row('dropped.txt')).toContainText('5 B');
    await drop('the second');
    await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
    await expect(row('dropped.txt')).toContainText('10 B');

    await row('dropped.txt').click();
    await page.getByRole('button', { name: 'dropped.txt', exact: true }).click();
    const coming = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'Download' }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe('dropped.txt');
    const pieces: Buffer[] = [];
    for await (const piece of await download.createReadStream()) pieces.push(piece as Buffer);
    expect(Buffer.concat(pieces).toString()).toBe('the second');

    // By keys alone.
    await row('dropped.txt').focus();
    await page.keyboard.press('F2');
    await page.getByRole('textbox', { name: 'Name' }).fill('kept.txt');
    await page.keyboard.press('Enter');
    await expect(row('kept.txt')).toBeVisible();
    await row('kept.txt').focus();
    await page.keyboard.press('Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect(row('kept.txt')).toHaveCount(0);

    // What was typed is not lost by a wrong press.
    await row('notes.txt').click();
    await editor.fill('not yet');
    await page.getByRole('button', { name: 'Close notes.txt' }).click();
    await page.getByRole('button', { name: 'Keep editing' }).click();
    await expect(editor).toHaveValue('not yet');

    // On a phone there is one thing at a time.
    await page.setViewportSize({ width: 360, height: 740 });
    await expect(tree).toBeHidden();
    expect(await serious(page)).toEqual([]);
    await page.getByRole('button', { name: 'Close notes.txt' }).click();
    await page.getByRole('button', { name: 'Discard what I typed' }).click();
    await expect(tree).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(await serious(page)).toEqual([]);
  } finally {
    await cleared('shelf', token);
  }
});
