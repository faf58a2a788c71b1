/**
 * A picture of every page at each width, in each theme and language; what can be found in it without looking; and what
 * axe finds.
 */

import type { Page } from '@playwright/test';
import { join } from 'node:path';
import { serious } from './axe';
import { admin, enter, expect, test, visit } from './console';
import { places, tabs } from './pages';
import { pictures } from './place';
import { pairs, pattern } from './words';

type Theme = 'light' | 'dark';
type Language = 'en' | 'zh';

const WIDTHS = [360, 1280, 2560];
/** What engines call the state of a container, shown as they say it. */
const OF_ENGINES = new Set(['running', 'created', 'exited', 'paused', 'restarting', 'dead']);

/** What sticks out of the page, so that it would have to be scrolled sideways; innermost elements only. */
async function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.body.querySelectorAll('*')].filter(
      (element) => element.getBoundingClientRect().right > width + 1,
    );
    return wide
      .filter((element) => ![...element.children].some((child) => wide.includes(child)))
      .slice(0, 5)
      .map((element) => element.outerHTML.slice(0, 160));
  });
}

/** Buttons and links that something else lies upon. */
async function covered(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    for (const element of document.querySelectorAll<HTMLElement>(
      'main button, main a, main input, main select, header a, header button',
    )) {
      const box = element.getBoundingClientRect();
      if (box.width < 2 || box.height < 2 || !element.checkVisibility({ opacityProperty: true })) continue;
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) continue;
      const top = document.elementFromPoint(x, y);
      if (!top || element.contains(top) || top.contains(element) || top.closest('label')?.contains(element)) continue;
      // What stays in its place while the page is scrolled lies on what is scrolled beneath it.
      const stays = [...document.querySelectorAll('body *')].some(
        (one) => one.contains(top) && !one.contains(element) && /fixed|sticky/.test(getComputedStyle(one).position),
      );
      if (!stays) {
        found.push(`${element.outerHTML.slice(0, 100)} under ${top.outerHTML.slice(0, 100)}`);
      }
    }
    return found;
  });
}

/** Titles of columns of which a part can't be read, and open tabs that are scrolled out of sight. */
async function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const titles = [...document.querySelectorAll<HTMLElement>('main th button')].filter(
      (title) =>
        title.checkVisibility() &&
        (title.scrollWidth > title.clientWidth + 1 ||
          title.scrollHeight > (title.closest('th')?.clientHeight ?? 0) + 1),
    );
    const open = [...document.querySelectorAll<HTMLElement>('main [role="tab"][aria-selected="true"]')].filter(
      (tab) => {
        const [box, list] = [tab.getBoundingClientRect(), tab.closest('[role="tablist"]')?.getBoundingClientRect()];
        return list && box.width > 0 && (box.left < list.left - 1 || box.right > list.right + 1);
      },
    );
    return [...titles, ...open].map((element) => element.textContent?.trim() ?? '');
  });
}

/** Where everything stands that does not come and go by itself. */
async function standing(page: Page): Promise<string> {
  return page.evaluate(() => {
    const things = [...document.querySelectorAll('main :is(h1, h2, button, input, select, th, [role="tab"], canvas)')];
    const boxes = things.map((thing) => {
      const { left, top, width, height } = thing.getBoundingClientRect();
      return `${thing.tagName} ${thing.textContent?.trim()}: ${[left, top, width, height].map(Math.round).join(' ')}`;
    });
    return [`page ${document.documentElement.scrollHeight}`, ...boxes].join('\n');
  });
}

/** What stands elsewhere in the other theme. What moves by itself meanwhile stands elsewhere in this one as well. */
async function movesByTheme(page: Page, theme: Theme): Promise<string[]> {
  let moved: string[] = [];
  for (let again = 0; again < 3; again++) {
    const before = await standing(page);
    await page.emulateMedia({ colorScheme: theme === 'light' ? 'dark' : 'light' });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30))));
    const other = await standing(page);
    await page.emulateMedia({ colorScheme: theme });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30))));
    if (other === before) return [];
    if ((await standing(page)) !== before) continue;
    const stood = new Set(before.split('\n'));
    moved = other.split('\n').filter((thing) => !stood.has(thing));
  }
  return moved.slice(0, 5);
}

/** What people or programs have written: code, pages of labs, the field where these are written, terminals. */
const WRITTEN = 'pre, code, script, style, noscript, [lang="en"], .cm-content, .xterm';

/** All that can be read on a page, or is read out. */
async function texts(page: Page): Promise<string[]> {
  return page.evaluate((written) => {
    const found = new Set<string>();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node instanceof Element) {
        for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
          found.add(node.getAttribute(name)?.trim() ?? '');
      } else if (!node.parentElement?.closest(written)) {
        found.add(node.textContent?.replace(/\s+/g, ' ').trim() ?? '');
      }
    }
    found.delete('');
    return [...found];
  }, WRITTEN);
}

/** Nothing moves by its theme: but for the long run each language is looked at in one of them, and axe in both. */
const LOOKS: readonly { theme: Theme; language: Language }[] = [
  { theme: 'light', language: 'en' },
  { theme: 'dark', language: 'zh' },
  ...(process.env.PIERHEAD_SOAK
    ? ([
        { theme: 'dark', language: 'en' },
        { theme: 'light', language: 'zh' },
      ] as const)
    : []),
];

/** Where the axe looks: at every page as it is on a desk, and at those that have other parts on a phone. */
function isAxed(name: string, width: number): boolean {
  return width === 1280 || (width === 360 && ['log-in', 'overview', 'app', 'host', 'containers'].includes(name));
}

/** Messages of the other language, and what should be said instead. */
function foreignTo(language: Language): (text: string) => string | undefined {
  const all = pairs();
  const foreign = all.flatMap(({ english, chinese }) => {
    const found = pattern(language === 'zh' ? english : chinese);
    return found ? [{ found, wanted: language === 'zh' ? chinese : english }] : [];
  });
  // The same words may be a message elsewhere that is the same in both languages, or a name in the pool.
  const own = new Set(all.map(({ english, chinese }) => (language === 'zh' ? chinese : english)));
  return (text) =>
    own.has(text) || OF_ENGINES.has(text) ? undefined : foreign.find(({ found }) => found.test(text))?.wanted;
}

test.describe.configure({ mode: 'parallel' });
// It leaves pictures anyway.
test.use({ trace: 'off' });
for (const { theme, language } of LOOKS) {
  test(`every page, ${theme}, ${language}, fits each width, and axe finds nothing serious`, async ({
    another,
    home,
    pool,
  }) => {
    test.setTimeout(480_000);
    const page = await another({
      locale: language === 'zh' ? 'zh-CN' : 'en-GB',
      colorScheme: theme,
      reducedMotion: 'reduce',
    });
    const wrong: string[] = [];
    const said = new Set<string>();
    const foreign = foreignTo(language);

    const lies = async () => [
      ...(await sticksOut(page)).map((what) => `sticks out: ${what}`),
      ...(await covered(page)).map((what) => `is covered: ${what}`),
      ...(await cutOff(page)).map((what) => `is cut off: ${what}`),
    ];
    const look = async (name: string) => {
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: width === 360 ? 780 : width === 1280 ? 800 : 1440 });
        // Drawings take a frame or two to take their new size.
        let found = await lies();
        for (let again = 0; found.length > 0 && again < 10; again++) {
          await page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
          found = await lies();
        }
        wrong.push(...found.map((what) => `${name} at ${width}: ${what}`));
        await page.screenshot({
          path: join(pictures, `${name}-${width}-${theme}-${language}.jpg`),
          fullPage: width !== 2560,
          type: 'jpeg',
          quality: 85,
        });
        for (const what of isAxed(name, width) ? await serious(page) : []) {
          // What stands on every page is told once.
          if (!said.has(what)) wrong.push(`${name}, ${theme}, at ${width}: ${what}`);
          said.add(what);
        }
        // Last, since colours take a moment to be those of before.
        if (theme === 'light' && width !== 2560) {
          wrong.push(...(await movesByTheme(page, theme)).map((what) => `${name} at ${width}, in the dark: ${what}`));
        }
      }
      for (const text of await texts(page)) {
        const wanted = foreign(text);
        if (wanted) wrong.push(`${name}: “${text}” should be “${wanted}”`);
      }
    };
    await page.goto(home);
    await expect(page.getByLabel(/^(User name|用户名)/)).toBeVisible();
    await look('log-in');
    await enter(page, home, admin(pool));
    await expect(page.locator('html')).toHaveAttribute('lang', language === 'zh' ? 'zh-CN' : 'en');
    for (const { name, address } of [...places, ...tabs]) {
      await visit(page, await address());
      await look(name);
    }
    expect(wrong).toEqual([]);
  });
}
