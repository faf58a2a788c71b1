/** What an operation does, in words: its title comes from the controller in a few fixed forms. */
import { words } from '../../lib/i18n.svelte';
import { operations } from '../../messages/operations';

const t = words(operations);

type Say = (parts: string[]) => string;

const FORMS: readonly [form: RegExp, say: Say][] = [
  [/^run (\d+) of (\S+) as (\S+)$/, ([count = '', image = '', app = '']) => t('run', { count, image, app })],
  [/^scale (\S+) to (\d+)$/, ([app = '', count = '']) => t('scale', { app, count })],
  [/^set (\S+) to (\S+)$/, ([app = '', image = '']) => t('set', { app, image })],
  [/^delete (\S+)$/, ([app = '']) => t('delete', { app })],
  [/^drain (\S+) of (\d+) slots?$/, ([host = '', count]) => t('drain', { host, n: Number(count) })],
  [/^rebalance (\d+) slots?$/, ([count]) => t('rebalance', { n: Number(count) })],
  [/^start (\S+) of (\S+)$/, ([container = '', app = '']) => t('start', { container, app })],
  [/^stop (\S+) of (\S+)$/, ([container = '', app = '']) => t('stop', { container, app })],
  [/^restart (\S+) of (\S+)$/, ([container = '', app = '']) => t('restart', { container, app })],
  [/^destroy (\S+) of (\S+)$/, ([container = '', app = '']) => t('destroy', { container, app })],
];

/** A title in the language of the moment; one of another form as it is. */
export function titleWords(title: string): string {
  for (const [form, say] of FORMS) {
    const found = form.exec(title);
    if (found) return say(found.slice(1));
  }
  return title;
}
