/** Operations: requests that take time. */

import { messages } from '../lib/i18n.svelte';

export const operations = messages({
  title: ['Under way', '进行中'],
  progress: ['{done} of {all} {all|slot|slots} done', '{all} 个槽位中已完成 {done} 个'],
  waits: ['waits for {what}', '等待 {what}'],
  failedSlots: ['{n} failed', '{n} 个失败'],
  by: ['{actor} asked for it', '由 {actor} 发起'],
  cancel: ['Call off', '取消'],
  cancelled: ['“{title}” was called off', '“{title}”已取消'],
  cancelFailed: ['It could not be called off', '无法取消'],
  done: ['“{title}” is done', '“{title}”已完成'],
  failed: ['“{title}” failed', '“{title}”失败'],
  timedOut: ['“{title}” took too long', '“{title}”超时'],
  until: ['ends at the latest', '最迟结束'],
  slotAt: ['slot {slot} on {host}', '槽位 {slot}，在 {host}'],
  slotOf: ['slot {slot}', '槽位 {slot}'],
});
