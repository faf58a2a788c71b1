/** Who is in the story, what their lab is, and what each of them does again and again. */

import type { Page } from '@playwright/test';
import { pbkdf2Sync } from 'node:crypto';
import { expect, settled, test as base, visit } from '../console';
import { giveMariaDb } from '../images';
import { connected, shows, type } from '../screen';
import { Stage } from '../staged';

export const WANG = { username: 'wang', password: 'chalk and a blackboard' };
/** As Django stores a password: the school's own hashes are taken. */
const HASH = `pbkdf2_sha256$1000$salt$${pbkdf2Sync(WANG.password, 'salt', 1000, 32, 'sha256').toString('base64')}`;
/** So few that a student soon has as many as may be. */
export const MOST_SAVES = 3;

const SCHOOL = `
INSERT INTO people VALUES ('wang', 'Wang Fang', 'teacher', '${HASH}', 1), ('li', 'Li Lei', 'student', NULL, 1), ('han', 'Han Mei', NULL, NULL, 1);
INSERT INTO courses VALUES ('db-1', 'Databases', '2026 autumn', 'Asia/Shanghai');
INSERT INTO enrolments VALUES ('db-1', 'wang', 'teacher', NULL), ('db-1', 'li', 'student', 'A'), ('db-1', 'han', 'student', 'B');
`;

export const LAB = `title: SQL on MariaDB
summary: Ask a small shop.
containers:
  - name: main
    image: "mariadb:11"
    user: mysql
    memory: 512
    environment: {MARIADB_ALLOW_EMPTY_ROOT_PASSWORD: "1", MARIADB_DATABASE: shop}
minutes: 50
`;
export const STEP = `---
setup:
  - run: until mariadb -u root -e 'SELECT 1'; do sleep 0.3; done
checks:
  - name: cities
    title: You know how many live in Turin
    score: 2
    run: test "$(mariadb -u root -N -e 'SELECT answer FROM answers WHERE question = 1' shop)" = 3
    hints:
      - {text: "Count them, and put the number into the table answers."}
---

# Ask the shop

Open it with \`mariadb -u root shop\`{run}. How many customers live in Turin?

\`\`\`sql copy
INSERT INTO answers VALUES (1, 0);
\`\`\`
`;

export const test = base.extend<object, { stage: Stage }>({
  stage: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const stage = await Stage.set(SCHOOL, { PIERHEAD_PERSON_SAVES: String(MOST_SAVES) });
      try {
        await giveMariaDb(stage.sockets);
        await stage.isKnown();
        await use(stage);
      } finally {
        await stage.strike();
      }
    },
    { scope: 'worker', timeout: 480_000 },
  ],
  pool: async ({ stage }, use) => use(stage.pool),
});

/** Comes from the school's site. */
export async function comes(
  page: Page,
  stage: Stage,
  to: { user: string; course?: string; lab?: string },
): Promise<void> {
  await page.goto('about:blank');
  await page.goto(stage.school.link(`${stage.pool.url}/`, to));
  await settled(page);
}

/** Types a statement at the database's own prompt. */
export async function sql(page: Page, statement: string): Promise<void> {
  await shows(page, /MariaDB \[shop\]> ?$/);
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(statement);
  await page.keyboard.press('Enter');
}

/** Waits for a shell, and opens the database there. */
export async function opensShop(page: Page): Promise<void> {
  await shows(page, /[#$] ?$/, 120);
  await connected(page);
  await type(page, "until mariadb -u root -e 'SELECT 1' >/dev/null 2>&1; do sleep 0.2; done; mariadb -u root shop");
  await shows(page, /MariaDB \[shop\]> ?$/, 120);
}

export async function saves(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
}

/** Goes on with the lab from the page of the course, and has its terminal as it was. */
export async function goesOn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Go on', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'SQL on MariaDB', level: 1 })).toBeVisible();
}

/** Waits until the page of saves lists these and no other, the newest first, each of them whole. */
export async function listed(page: Page, names: readonly string[]): Promise<void> {
  await visit(page, '/saves');
  const rows = page.getByRole('table', { name: 'Saves' }).locator('tbody tr');
  await expect(rows).toContainText([...names], { timeout: 60_000 });
  for (const at of names.keys()) await expect(rows.nth(at)).toContainText('complete', { timeout: 60_000 });
}
