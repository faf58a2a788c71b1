/** Sentences of the controller, in Chinese; and whether it still says them. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { language } from '../../src/lib/i18n.svelte';
import { inWords } from '../../src/lib/said';
import { said } from '../../src/messages/said';

const crates = join(import.meta.dirname, '../../../crates');

/** What stands in quotation marks in the source, with any value as `{}`. */
function source(): string {
  const texts = ['agent', 'api', 'controller', 'engine', 'lab', 'model', 'planner'].flatMap((crate) => {
    const folder = join(crates, crate, 'src');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.rs'))
      .map((file) => readFileSync(join(folder, file), 'utf8'));
  });
  return plain(texts.join('\n').replace(/\\\n\s*/g, ''));
}

function plain(text: string): string {
  return text.replace(/\{[^{}\n]*\}/g, '{}').replaceAll('{}{}', '{}');
}

describe('a sentence of the controller', () => {
  test('is one that it says', () => {
    const all = source();
    const missing = Object.entries(said).filter(([key, [english]]) => {
      // These are put together from a word and a text.
      if (
        key.startsWith('bare') ||
        [
          'portTaken',
          'portTwice',
          'agentAway',
          'agentSilent',
          'offMany',
          'offOne',
          'unknownEnded',
          'unknownSilent',
        ].includes(key)
      )
        return false;
      const trimmed = plain(english)
        .replace(/^\{\}|\{\}$/g, '')
        .trim();
      return !all.includes(trimmed);
    });
    expect(missing.map(([key, [english]]) => `${key}: ${english}`)).toEqual([]);
  });

  describe('in Chinese', () => {
    beforeEach(() => language.choose('zh'));
    afterEach(() => language.choose('en'));

    test.each([
      ['lacks 0.4 CPU: 1.2 of 4 free', '缺少 0.4 核 CPU：4 核中空闲 1.2 核'],
      [
        'no room on any of 3 hosts: 2 lack CPU, 1 is unavailable; nearest is host-1, which lacks 0.4 CPU and 64 MB memory',
        '3 台主机中没有空间：2 台缺少 CPU，1 台不可用；最接近的是 host-1，缺少 0.4 核 CPU、64 MB 内存',
      ],
      [
        "no place on any of 2 hosts: all lack a label; nearest is h1: its labels don't satisfy ssd && !old",
        '2 台主机中没有合适的主机：全部缺少标签；最接近的是 h1：其标签不满足 ssd && !old',
      ],
      [
        'no place on the only host, h1: down: connection refused',
        '唯一的主机上没有合适的主机：h1：无响应：connection refused',
      ],
      ['2 of 3 slots run; one more would go to host h2', '3 个槽位中 2 个在运行；再增加一个将放在主机 h2 上'],
      ['there is room for all 3: 2 on host-1, 1 on host-2', '3 个都有空间：host-1 上 2 个，host-2 上 1 个'],
      ['it was stopped: nobody used it', '已停止：无人使用'],
      [
        'the saves of li: at most 3 saves may be kept, and there would be 4; delete saves that are not needed any more',
        'li 的存档：最多保留 3 个存档，现在将有 4 个；请删除不再需要的存档',
      ],
      ['waits for room; 3 are before it in the queue', '等待空间；前面还有 3 个'],
      ['port 80/tcp is taken', '端口 80/tcp 已被占用'],
      [
        'starts on host h1 (failed on host h2: no such image: x:1)',
        '正在主机 h1 上启动（在主机 h2 上失败：没有该镜像：x:1）',
      ],
      [
        'waits for a host; its former container on host h1 serves until then',
        '等待主机；在此之前由主机 h1 上的旧容器提供服务',
      ],
      [
        'the host is off or cut off: no sign of life for 0.7 s, and its kernel answers none of host-2 and host-3',
        '主机已关机或网络中断：没有任何迹象（0.7 s），其内核对 host-2、host-3 均无应答',
      ],
      [
        'its agent has not run or could not call; the host lives: its kernel answers this controller and host-2, and its containers run on',
        '其代理没有运行或无法连接；主机仍存活：其内核应答 本控制器、host-2，容器继续运行',
      ],
      [
        'host h3 is down: the link between this controller and the host is cut for 2.1 s; the host lives: its kernel answers h1, and not this controller; goes to another host in 3 s',
        '主机 h3 无响应：本控制器与该主机之间的连接已中断（2.1 s）；主机仍存活：其内核应答 h1，但不应答本控制器；3 s 后转到其他主机',
      ],
      [
        'Live restore is off: a restart of the engine stops every container on it.',
        '未启用 live restore：引擎重启会停止其上的所有容器。',
      ],
      ['what only an engine says: x', 'what only an engine says: x'],
      ['', ''],
    ])('%j', (english, chinese) => {
      expect(inWords(english)).toBe(chinese);
    });

    test('is found at once, however long a strange text is', () => {
      const strange = 'no room on any of '.repeat(500);
      const began = performance.now();
      expect(inWords(strange)).toBe(strange);
      expect(performance.now() - began).toBeLessThan(1_000);
    });
  });

  test('in English is as it was said', () => {
    language.choose('en');
    expect(inWords('cordoned')).toBe('cordoned');
  });
});
