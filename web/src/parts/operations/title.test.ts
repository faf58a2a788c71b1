import { beforeEach, expect, test } from 'vitest';
import { language } from '../../lib/i18n.svelte';
import { titleWords } from './title';

beforeEach(() => language.choose('en'));

test.each([
  ['run 3 of httpd:2.4 as web', 'Run 3 of httpd:2.4 as web', '以 web 运行 3 个 httpd:2.4'],
  ['scale web to 5', 'Scale web to 5', '将 web 调整为 5 个副本'],
  ['set web to httpd:2.5', 'Change web (httpd:2.5)', '变更 web（httpd:2.5）'],
  ['delete web', 'Delete web', '删除 web'],
  ['drain host-1 of 1 slot', 'Drain host-1 of 1 slot', '腾空 host-1（1 个槽位）'],
  ['drain host-1 of 12 slots', 'Drain host-1 of 12 slots', '腾空 host-1（12 个槽位）'],
  ['rebalance 2 slots', 'Even out the load: 2 slots', '均衡负载：2 个槽位'],
  ['restart web.0.1 of web', 'Restart web.0.1 of web', '重启 web 的 web.0.1'],
  ['something else', 'something else', 'something else'],
])('%s', (title, english, chinese) => {
  expect(titleWords(title)).toBe(english);
  language.choose('zh');
  expect(titleWords(title)).toBe(chinese);
});
