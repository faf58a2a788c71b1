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
  run: ['Run {count} of {image} as {app}', '以 {app} 运行 {count} 个 {image}'],
  scale: ['Scale {app} to {count}', '将 {app} 调整为 {count} 个副本'],
  set: ['Change {app} ({image})', '变更 {app}（{image}）'],
  delete: ['Delete {app}', '删除 {app}'],
  drain: ['Drain {host} of {n} {n|slot|slots}', '腾空 {host}（{n} 个槽位）'],
  rebalance: ['Even out the load: {n} {n|slot|slots}', '均衡负载：{n} 个槽位'],
  start: ['Start {container} of {app}', '启动 {app} 的 {container}'],
  stop: ['Stop {container} of {app}', '停止 {app} 的 {container}'],
  restart: ['Restart {container} of {app}', '重启 {app} 的 {container}'],
  destroy: ['Remove {container} of {app}', '移除 {app} 的 {container}'],
  slotAt: ['slot {slot} on {host}', '槽位 {slot}，在 {host}'],
  slotOf: ['slot {slot}', '槽位 {slot}'],
});
