/** Labs in the browser: written beside their environment, worked through, written by two at once, and harmless. */

import type { Page } from '@playwright/test';
import { api, eventually, tokenOf } from './api';
import { serious } from './axe';
import { enter, expect, test, visit } from './console';
import { corpus } from './corpus';
import { isSaved, write } from './editor';
import { writeLab } from './labs';
import { ann, sue, tom } from './people';
import { shows } from './screen';

interface File {
  path: string;
  digest: string;
}

const BOX = 'containers:\n  - {name: main, image: "pierhead/sample:1", memory: 32}\nminutes: 20\n';

/** Deletes what a test made, also when it went wrong: workspaces hold room on a host. */
async function cleared(lab: string, ...tokens: string[]): Promise<void> {
  for (const token of tokens) {
    const all = await api<{ id: string }[]>('GET', `/api/attempts?lab=${lab}`, undefined, token).catch(() => []);
    for (const { id } of all) await api('DELETE', `/api/attempts/${id}`, undefined, token).catch(() => {});
    const left = await api<{ id: string; environment: string }[]>('GET', '/api/workspaces', undefined, token);
    for (const { id } of left.filter((one) => one.environment.startsWith(`lab-${lab}`))) {
      await api('DELETE', `/api/workspaces/${id}?discard=true`, undefined, token).catch(() => {});
    }
  }
  await api('DELETE', `/api/labs/${lab}`, undefined, tokens[0]).catch(() => {});
}

const field = (page: Page) => page.locator('.cm-content');

async function fileOf(lab: string, path: string, token: string): Promise<File | undefined> {
  return (await api<File[]>('GET', `/api/labs/${lab}/files`, undefined, token)).find((one) => one.path === path);
}

test('a teacher goes from an empty page to a lab with three checked steps, and a student finishes it', async ({
  page,
  another,
  home,
}) => {
  test.setTimeout(300_000);
  const [token, student] = [await tokenOf(ann.username, ann.password), await tokenOf(sue.username, sue.password)];
  try {
    await enter(page, home, ann, '/labs');
    await page.getByRole('button', { name: 'New lab' }).first().click();
    await page.getByLabel('Title').fill('First steps');
    await expect(page.getByLabel('Name in addresses')).toHaveValue('first-steps');
    await page.getByRole('button', { name: 'Create the lab' }).click();
    await expect(page.getByRole('heading', { name: 'First steps', level: 1 })).toBeVisible();
    await write(page, 'lab.yaml', `title: First steps\n${BOX}`);

    await write(page, 'steps/01-first.md', '# Make a file\n\n');
    await page.keyboard.press('Control+End');
    await page.getByRole('button', { name: 'Insert', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Code that is run', exact: true }).click();
    // What has to be written is marked.
    await page.keyboard.press('Delete');
    await page.keyboard.insertText('echo made > /tmp/one; cat /tmp/one /tmp/one');
    await expect(page.getByText('echo made > /tmp/one').last()).toBeVisible();
    await page.getByRole('button', { name: 'Insert', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Check…' }).click();
    await page.getByLabel('What must hold').fill('The file is there');
    await page.getByLabel('Hint while it does not pass').fill('Press the button above.');
    await page.getByRole('button', { name: 'Add the check' }).click();
    await expect(page.getByRole('textbox', { name: 'Text of checks/the-file-is-there.sh' })).toBeVisible();
    await write(page, 'checks/the-file-is-there.sh', 'test -s /tmp/one\n');

    for (const [title, text] of [
      [
        'Write a setting',
        '---\nchecks:\n  - title: The port is set\n    run: grep -q 8000 /tmp/app.yaml\n    continuous: true\n    every_seconds: 1\n---\n\n' +
          '# Write a setting\n\n```yaml edit file=/tmp/app.yaml\nport: 8000\n```\n\n' +
          '> [!HINT] Which port?\n> It is in the text.\n\n```quiz name=port\nWhich port is it?\n- [ ] 80\n- [x] 8000\n> So it says.\n```\n',
      ],
      [
        'Clear up',
        '---\nchecks:\n  - title: The file is gone\n    run: test ! -e /tmp/one\n---\n\n# Clear up\n\n`rm /tmp/one`{run} it.\n',
      ],
    ] as const) {
      await page.getByRole('button', { name: 'New step' }).click();
      await page.getByLabel('Title of the step').fill(title);
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      const path = await eventually('the step', async () =>
        (await api<File[]>('GET', '/api/labs/first-steps/files', undefined, token)).find((one) =>
          one.path.endsWith(`${title.toLowerCase().replaceAll(' ', '-')}.md`),
        ),
      );
      await write(page, path.path, text);
    }

    // In their own environment they try the checks.
    await page.getByRole('tab', { name: 'Environment' }).click();
    await page.getByRole('button', { name: 'Open the environment' }).click();
    await shows(page, /[#$] ?$/, 120);
    await page.getByRole('tab', { name: 'Checks' }).click();
    await page.getByRole('button', { name: 'Run this lab’s checks' }).click();
    const results = page.getByRole('list', { name: 'Results' });
    await expect(results.getByText('The file is there')).toBeVisible({ timeout: 60_000 });
    await expect(results.getByText('not yet').first()).toBeVisible();
    expect(await serious(page)).toEqual([]);

    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByLabel('Let everybody who may work through labs see it').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Publish', exact: true }).click();
    await expect(page.getByText('version 1 · shared')).toBeVisible();

    const his = await another();
    await enter(his, home, sue, '/labs');
    await his.getByRole('button', { name: 'Begin First steps' }).click();
    await expect(his).toHaveURL(/#\/attempts\/[a-z0-9]+/);
    await expect(his.getByRole('heading', { name: 'Make a file' })).toBeVisible();
    await shows(his, /[#$] ?$/, 120);
    const check = his.getByRole('button', { name: 'Check this step' });
    await check.click();
    await expect(his.getByText('Press the button above.')).toBeVisible({ timeout: 60_000 });
    await his.getByRole('button', { name: /^Run: echo made/ }).click();
    await shows(his, /^made\nmade$/m);
    await check.click();
    await expect(his.getByText('1 of 1 passed')).toBeVisible({ timeout: 60_000 });
    await expect(his.getByText(/^1 of 3 steps/)).toBeVisible();

    await his.getByRole('button', { name: 'Next' }).click();
    await his.getByRole('button', { name: 'Show hint 1' }).click();
    await expect(his.getByText('It is in the text.')).toBeVisible();
    await his.getByRole('radio').first().check();
    await his.getByRole('button', { name: 'Answer' }).click();
    await expect(his.getByText('✗ not right')).toBeVisible();
    await his.getByRole('radio').last().check();
    await his.getByRole('button', { name: 'Answer again' }).click();
    await expect(his.getByText('So it says.')).toBeVisible();
    await his.getByRole('button', { name: /^Write the file/ }).click();
    // This one checks itself: nobody asks for it.
    await expect(his.getByText('1 of 1 passed')).toBeVisible({ timeout: 60_000 });
    expect(await serious(his)).toEqual([]);

    // What was reached is there on another day, and the divider where it was left.
    const divider = his.getByRole('separator');
    await divider.focus();
    await his.keyboard.press('Shift+ArrowLeft');
    await expect(divider).toHaveAttribute('aria-valuenow', '40');
    await his.reload();
    await expect(his.getByRole('separator')).toHaveAttribute('aria-valuenow', '40');
    await expect(his.getByRole('heading', { name: 'Write a setting' })).toBeVisible();
    await expect(his.getByText(/^2 of 3 steps/)).toBeVisible();

    await his.getByRole('button', { name: 'Next' }).click();
    await shows(his, /[#$] ?$/, 120);
    await his.getByRole('button', { name: /^Run: rm/ }).click();
    await expect
      .poll(
        async () => {
          await check.click();
          return his.getByText('You have finished this lab.').count();
        },
        { timeout: 60_000 },
      )
      .toBe(1);

    // On a phone there is one side at a time.
    await his.setViewportSize({ width: 360, height: 740 });
    await his.getByRole('button', { name: 'Instructions' }).click();
    await expect(his.getByRole('tablist', { name: 'Terminals' })).toBeHidden();
    await expect(his.getByRole('heading', { name: 'Clear up' })).toBeVisible();
    await his.getByRole('button', { name: 'Environment' }).click();
    await expect(his.getByRole('tablist', { name: 'Terminals' })).toBeVisible();
    await expect(his.getByRole('heading', { name: 'Clear up' })).toBeHidden();
    expect(await his.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  } finally {
    await cleared('first-steps', token, student);
  }
});

test('two teachers write at once and no line is lost', async ({ page, another, home }) => {
  const token = await tokenOf(ann.username, ann.password);
  const path = 'steps/01-both.md';
  const text = '# Both\n\nfirst\n\nsecond\n\nthird\n';
  try {
    await writeLab('both', { 'lab.yaml': `title: Both\n${BOX}`, [path]: text }, token);
    await api('PUT', '/api/labs/both', { authors: [tom.username] }, token);
    const hers = page;
    const his = await another();
    await enter(hers, home, ann, `/labs/both?file=${path}`);
    await enter(his, home, tom, `/labs/both?file=${path}`);
    for (const one of [hers, his]) await expect(field(one)).toContainText('third');

    // What one writes shows with the other, who writes nothing.
    await field(hers).getByText('first').click();
    await hers.keyboard.press('End');
    await hers.keyboard.type(' of hers');
    await isSaved(hers);
    await field(his).getByText('second').click();
    await expect(field(his)).toContainText('first of hers');
    await isSaved(his);

    // Both write: his reaches the lab while hers is on its way there.
    let let_go = () => {};
    const held = new Promise<void>((done) => (let_go = done));
    await hers.route('**/files/content**', async (route) => {
      if (route.request().method() === 'PUT') await held;
      await route.continue();
    });
    await field(hers).getByText('third').click();
    await hers.keyboard.press('End');
    await hers.keyboard.type(' of hers');
    await expect(hers.getByText('is saved…')).toBeVisible();
    await field(his).getByText('second').click();
    await his.keyboard.press('End');
    await his.keyboard.type(' of his');
    await eventually('his is there', async () => {
      const now = await fileOf('both', path, token);
      return now?.digest !== undefined && (await contentOf('both', path, token)).includes('second of his');
    });
    let_go();
    await expect(hers.getByText('Somebody else changed this file meanwhile')).toBeVisible();
    for (const line of ['first of hers', 'second of his', 'third of hers']) {
      await expect(field(hers)).toContainText(line);
    }
    expect(await serious(hers)).toEqual([]);
    await hers.getByRole('button', { name: 'Save the text below' }).click();
    await isSaved(hers);
    const both = '# Both\n\nfirst of hers\n\nsecond of his\n\nthird of hers\n';
    expect(await contentOf('both', path, token)).toBe(both);
    await his.getByRole('tab', { name: 'Preview' }).focus();
    await field(his).getByText('second').click();
    await expect(field(his)).toContainText('third of hers');

    // What was there before is brought back, and that can be undone.
    await hers.getByRole('button', { name: 'History' }).click();
    await hers.getByRole('button', { name: 'Restore' }).last().click();
    await expect(hers.getByText('The lab is as it was then')).toBeVisible();
    await hers.keyboard.press('Escape');
    await hers.getByRole('button', { name: 'Undo' }).click();
    // Meanwhile there is no such file.
    await expect.poll(() => contentOf('both', path, token).catch(() => '')).toBe(both);
  } finally {
    await cleared('both', token);
  }
});

async function contentOf(lab: string, path: string, token: string): Promise<string> {
  const { textOf } = await import('./api');
  return textOf('GET', `/api/labs/${lab}/files/content?path=${path}&version=draft`, undefined, token);
}

test('what somebody writes into a lab does nothing in another’s browser', async ({ page, browser, home }) => {
  const token = await tokenOf(ann.username, ann.password);
  const hostile = corpus.filter((text) => !text.includes('\u202e'));
  const quiet = (text: string) => text.replace(/[`\n]/g, ' ');
  const step = [
    '# Hostile <img src=x onerror=ran()>',
    ...hostile,
    ...hostile.map((text) => `[link](${text})`),
    ...hostile.map((text) => `![image](${text.replace(/[()\s]/g, '')})`),
    ...hostile.map((text) => `\`${quiet(text)}\`{run} \`${quiet(text)}\`{copy}`),
    '```sh run terminal=main\n</pre><script>ran()</script>\n```',
    `> [!HINT] ${quiet(corpus[0] ?? '')}\n> ${hostile.slice(0, 8).map(quiet).join('\n> ')}`,
    `\`\`\`quiz name=q\n${quiet(corpus[3] ?? '')}\n- [ ] ${quiet(corpus[2] ?? '')}\n- [x] ${quiet(corpus[4] ?? '')}\n> ${quiet(corpus[0] ?? '')}\n\`\`\``,
    '<div data-block="0" onclick="ran()">slot</div><span style="position:fixed">x</span>',
    '<form action="javascript:ran()"><input autofocus onfocus=ran()><button>x</button></form>',
  ].join('\n\n');
  try {
    await api('POST', '/api/labs', { id: 'hostile', title: '<script>ran()</script>' }, token);
    const head = await fileOf('hostile', 'lab.yaml', token);
    const { putText } = await import('./api');
    await putText(
      '/api/labs/hostile/files/content?path=lab.yaml',
      `title: "<script>ran()</script>"\nsummary: "<img src=x onerror=ran()>"\nenvironment: locked\n`,
      { 'if-match': `"${head?.digest}"` },
      token,
    );
    await putText(
      `/api/labs/hostile/files/content?path=${encodeURIComponent('steps/02-bad.md')}`,
      step,
      { 'if-none-match': '*' },
      token,
    );
    await putText(
      `/api/labs/hostile/files/content?path=${encodeURIComponent('images/x.svg')}`,
      '<svg xmlns="http://www.w3.org/2000/svg" onload="ran()"><script>ran()</script></svg>',
      { 'if-none-match': '*' },
      token,
    );
    await enter(page, home, ann, '/labs');
    await expect(page.getByText('<script>ran()</script>').first()).toBeVisible();
    await visit(page, '/labs/hostile?file=steps/02-bad.md');
    const article = page.locator('article');
    await expect(article.getByText('Hostile')).toBeVisible();
    await article.getByRole('button', { name: 'Show hint 1' }).click();
    await expect(
      article.locator(
        'script, style, iframe, form:not(.quiz), object, base, meta, link, svg[onload], [onclick], [style]',
      ),
    ).toHaveCount(0);
    await expect(article.locator('a[href^="javascript:"], a[href^="data:"], a[href^="//"]')).toHaveCount(0);
    for (const summary of await article.locator('summary').all()) await summary.click();
    // The image of a stranger, opened as a page.
    const plain = await browser.newContext();
    const ran: string[] = [];
    await plain.exposeFunction('ran', () => void ran.push('ran'));
    await plain.addCookies(await page.context().cookies());
    const image = await plain.newPage();
    const answer = await image.goto(`${home}api/labs/hostile/files/content?path=images/x.svg&version=draft`);
    expect(answer?.headers()['content-security-policy']).toContain('sandbox');
    await expect(image.locator('svg')).toHaveCount(1);
    await plain.close();
    expect(ran).toEqual([]);
  } finally {
    await cleared('hostile', token);
  }
});
