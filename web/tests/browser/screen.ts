/** A terminal on a page, as somebody uses it who reads and types. */

import type { Page } from '@playwright/test';
import { expect } from './console';

/** The screen as text, line by line: what is there for screen readers, since the screen itself is a picture. */
export async function screen(page: Page): Promise<string> {
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll('.xterm-accessibility-tree > div')];
    return rows
      .map((row) => (row.textContent ?? '').replace(/\u00a0/g, ' ').trimEnd())
      .join('\n')
      .trimEnd();
  });
}

export async function shows(page: Page, text: string | RegExp, seconds = 45): Promise<void> {
  await expect
    .poll(() => screen(page), { timeout: seconds * 1000, message: `the screen shows ${String(text)}` })
    .toMatch(text);
}

/** Waits until the terminal is connected again, and takes what is typed. */
export async function connected(page: Page): Promise<void> {
  await expect(page.getByText('The connection was lost.')).toHaveCount(0);
  await expect(page.getByText('Connecting to the terminal…')).toHaveCount(0);
  await expect(page.getByText('You have the keyboard')).toBeVisible();
}

/**
 * Types a line into the terminal, as somebody would who waits for the prompt: the shell asks where the cursor is before it
 * takes a line, and may drop what was typed before.
 */
export async function type(page: Page, line: string): Promise<void> {
  await shows(page, /[#$] ?$/);
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}
