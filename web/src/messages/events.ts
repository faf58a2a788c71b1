/** What the page of events says. */

import { messages } from '../lib/i18n.svelte';

export const events = messages({
  actor: ['Account', '账户'],
  any: ['Any', '任意'],
  app: ['App', '应用'],
  clear: ['Clear filters', '清除筛选'],
  container: ['Container', '容器'],
  empty: ['Nothing has happened yet', '还没有发生任何事'],
  emptyText: [
    'Whatever people, hosts and the controller change appears here at once: deployments, failures, log-ins.',
    '人员、主机和控制器的所有变更都会立即显示在这里：部署、故障、登录等。',
  ],
  end: ['That is all there is.', '没有更多了。'],
  filters: ['Filters', '筛选'],
  follow: ['Follow', '跟随'],
  from: ['From', '起始'],
  fromHint: ['10m, 1d, or 2026-11-21 22:10 (your time zone).', '10m、1d，或 2026-11-21 22:10（您的时区）。'],
  host: ['Host', '主机'],
  live: ['Live: new events appear by themselves.', '实时：新事件会自动出现。'],
  noneMatch: ['No event matches these filters', '没有符合筛选条件的事件'],
  noneMatchText: ['Widen the time range or clear a filter.', '请放宽时间范围或清除部分筛选。'],
  older: ['Older', '更早'],
  pause: ['Pause', '暂停'],
  paused: ['Paused.', '已暂停。'],
  raw: ['As the controller wrote it', '控制器记录的原文'],
  ranged: ['Not live: the range has an end.', '非实时：时间范围有终点。'],
  security: ['Accounts', '账户安全'],
  showNew: ['Show {n} new', '显示 {n} 条新事件'],
  tag: ['About', '类别'],
  tagCluster: ['The pool', '集群'],
  tagDocker: ['Docker’s own', 'Docker 自身'],
  tagSecurity: ['Accounts', '账户'],
  title: ['Events', '事件'],
  type: ['Type', '类型'],
  until: ['Until', '截止'],
});
