/** A browser before the console. Every test of it also tests that nothing foreign is asked for, run, or reported. */

import { type BrowserContext, expect, type Page, test as base } from '@playwright/test';
import { ADMIN, ann, hal, type Person, sue, tom, vic } from './people';
import { type Pool, pool as shared } from './place';

/** What must not happen, in any test. */
interface Watch {
  /** Requests to anywhere but the controller. */
  foreign: string[];
  /** What the policy refused. */
  refused: string[];
  /** What a hostile text ran, or a question that a script asked. */
  ran: string[];
  /** What broke. */
  broken: string[];
}

interface Fixtures {
  pool: Pool;
  /** Where the console is opened; a test may put something between it and the controller. */
  home: string;
  /** Opens one more browser, with a session of its own. */
  another: (options?: Parameters<import('@playwright/test').Browser['newContext']>[0]) => Promise<Page>;
  watch: Watch;
}

export const test = base.extend<Fixtures>({
  // Playwright wants a pattern here, even where nothing is needed.
  // eslint-disable-next-line no-empty-pattern
  pool: async ({}, use) => use(shared()),
  home: async ({ pool }, use) => use(`${pool.url}/`),
  // eslint-disable-next-line no-empty-pattern
  watch: async ({}, use) => {
    const watch: Watch = { foreign: [], refused: [], ran: [], broken: [] };
    await use(watch);
    expect(watch, 'what must not happen').toEqual({ foreign: [], refused: [], ran: [], broken: [] });
  },
  context: async ({ context, watch, home }, use) => {
    await guard(context, watch, home);
    await use(context);
  },
  another: async ({ browser, watch, home }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options) => {
      const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
      contexts.push(context);
      await guard(context, watch, home);
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },
});

export { expect };

async function guard(context: BrowserContext, watch: Watch, home: string): Promise<void> {
  await context.exposeFunction('ran', (how = 'ran()') => void watch.ran.push(String(how)));
  await context.exposeFunction('refused', (what: string) => void watch.refused.push(what));
  await context.addInitScript(() => {
    // A terminal is drawn as a picture; with this its text can be read as well.
    if (location.protocol === 'http:') localStorage.setItem('pierhead.terminal', '{"isReadable":true}');
    const page = window as unknown as { refused: (what: string) => void };
    addEventListener('securitypolicyviolation', (event) =>
      page.refused(
        `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`,
      ),
    );
  });
  const { origin } = new URL(home);
  context.on('request', (request) => {
    const url = new URL(request.url().replace(/^ws/, 'http'));
    if (url.protocol !== 'blob:' && url.origin !== origin) watch.foreign.push(request.url());
  });
  context.on('page', (page) => {
    page.on('websocket', (socket) => {
      if (new URL(socket.url().replace(/^ws/, 'http')).origin !== origin) watch.foreign.push(socket.url());
    });
    page.on('pageerror', (error) => watch.broken.push(`${page.url()}: ${error.stack ?? error.message}`));
    page.on('dialog', (dialog) => {
      watch.ran.push(`a ${dialog.type()}: ${dialog.message()}`);
      void dialog.dismiss();
    });
  });
}

export function admin(pool: Pool): Person {
  return { username: ADMIN, password: pool.password };
}

/** Fills in the form and sends it. */
export async function fillIn(page: Page, who: Person): Promise<void> {
  await page.getByLabel(/^(User name|用户名)/).fill(who.username);
  await page.getByLabel(/^(Password|密码)/).fill(who.password);
  await page.keyboard.press('Enter');
}

/** Sessions of those whom no test logs out, by their names: to log in takes as long as guessing a password shall. */
const sessions = new Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>();
const LASTING = new Set<string>([ADMIN, ann.username, vic.username, hal.username, sue.username, tom.username]);

/** Opens the console at a place, logged in. */
export async function enter(page: Page, home: string, who: Person, place = '/'): Promise<void> {
  const known = sessions.get(who.username);
  if (known) await page.context().addCookies(known);
  else {
    const origin = new URL(home).origin;
    const answer = await page.request.post(`${home}auth/session`, { data: who, headers: { origin } });
    expect(answer.status(), await answer.text()).toBe(200);
    if (LASTING.has(who.username)) sessions.set(who.username, await page.context().cookies());
  }
  // An address that differs in its hash only would not load the page anew.
  await page.goto('about:blank');
  await page.goto(`${home}#${place}`);
  await settled(page);
}

/** Waits until a page shows what it has, or why it has nothing. */
export async function settled(page: Page): Promise<void> {
  const content = page.locator('main#content');
  await expect(content).toBeVisible();
  await expect(content.locator('h1, h2').first()).toBeVisible();
  await expect(content.locator('[aria-busy="true"]')).toHaveCount(0);
}

/** Goes to another place without loading the page anew. */
export async function visit(page: Page, place: string): Promise<void> {
  await page.evaluate((hash) => (location.hash = hash), place);
  await settled(page);
}
