/** What to do about a refusal. The refusal's own message comes from the controller, in English. */

import type { ApiError } from '../lib/api';
import { messages } from '../lib/i18n.svelte';

export const failures = messages({
  title: ['This could not be done', '操作未能完成'],
  offline: ['The controller does not answer.', '控制器没有响应。'],
  log: ['What the container printed last:', '容器最后的输出：'],
  retry: ['Try again', '重试'],
  waitOffline: [
    'Containers run on meanwhile. The console connects again by itself; if it does not, check that the controller runs and that this device reaches it.',
    '容器会继续运行。控制台会自动重新连接；如果没有恢复，请检查控制器是否在运行，以及本设备能否访问它。',
  ],
  askAdmin: [
    'Your role does not allow this. An administrator can give you another one.',
    '您的角色不允许此操作。管理员可以为您更换角色。',
  ],
  gone: [
    'It may have been removed meanwhile. Go back to the list to see what is there.',
    '它可能已被删除。请返回列表查看现有内容。',
  ],
  room: [
    'Ask for less CPU or memory, remove something, or add a host.',
    '请减少所需的 CPU 或内存、移除一些内容，或添加主机。',
  ],
  store: [
    'The pool’s records can’t be changed at present; what runs is not touched. An administrator should look at the controller and its store.',
    '目前无法更改池中的记录；正在运行的内容不受影响。请管理员检查控制器及其存储。',
  ],
  host: [
    'The host does not do what it is asked. Its page says why.',
    '主机没有完成所请求的操作。请在主机页面查看原因。',
  ],
  slower: ['Wait a little before the next try.', '请稍候再试。'],
  changed: [
    'Somebody else changed it meanwhile. Look at it again, then repeat.',
    '其他人同时做了更改。请重新查看后再试。',
  ],
  proxy: [
    'What answered was not the controller, perhaps a proxy in between.',
    '应答的不是控制器，可能是中间的代理服务器。',
  ],
});

const BY_CODE: Readonly<Record<string, keyof typeof failures>> = {
  offline: 'waitOffline',
  unreadable: 'proxy',
  forbidden: 'askAdmin',
  not_found: 'gone',
  no_room: 'room',
  store_unavailable: 'store',
  store_failed: 'store',
  store_full: 'store',
  disk_full: 'store',
  engine_unreachable: 'host',
  engine_failed: 'host',
  refused_by_engine: 'host',
  too_many_attempts: 'slower',
  conflict: 'changed',
};

/** Which of the messages helps with an error, if one does. */
export function advice(error: Pick<ApiError, 'code' | 'status'>): keyof typeof failures | undefined {
  return BY_CODE[error.code] ?? (error.status === 403 ? 'askAdmin' : error.status === 429 ? 'slower' : undefined);
}
