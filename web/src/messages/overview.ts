/** The overview. */

import { messages } from '../lib/i18n.svelte';

export const overview = messages({
  title: ['Overview', '总览'],
  loading: ['Asking the controller how the pool is', '正在向控制器查询池的状态'],
  deploy: ['Deploy', '部署'],
  // The sentence at the top: hosts, then apps.
  noHosts: ['There is no host in the pool yet.', '池中还没有主机。'],
  allHosts: ['All {n} hosts are well.', '{n} 台主机全部正常。'],
  oneHost: ['The only host is well.', '唯一的主机正常。'],
  hostsDown: [
    '{n} of {all} {all|host|hosts} {n|does|do} not answer: {names}.',
    '{all} 台主机中有 {n} 台无响应：{names}。',
  ],
  hostsSuspect: [
    '{n} of {all} {all|host|hosts} {n|is|are} suspect: {names}.',
    '{all} 台主机中有 {n} 台可疑：{names}。',
  ],
  hostsWait: ['{n} {n|host waits|hosts wait} for approval: {names}.', '{n} 台主机等待批准：{names}。'],
  hostsRest: [
    '{n} of {all} hosts are well, {out} {out|is|are} out of service.',
    '{all} 台主机中 {n} 台正常，{out} 台停止服务。',
  ],
  andMore: ['{names} and {n} more', '{names} 等另外 {n} 台'],
  noApps: ['Nothing runs yet.', '还没有运行任何应用。'],
  appsServe: ['{n} {n|app serves|apps serve}.', '{n} 个应用正常运行。'],
  appsTrouble: ['{n} {n|app needs|apps need} a look.', '{n} 个应用需要关注。'],
  frozen: ['Nothing is moved: too many hosts vanished at once.', '太多主机同时失联，暂不迁移任何内容。'],
  // Below it.
  totals: [
    '{cpus} of {allCpus} cores and {memory} of {allMemory} are reserved by {n} {n|container|containers}.',
    '{n} 个容器共预留 {allCpus} 核中的 {cpus} 核，{allMemory} 内存中的 {memory}。',
  ],
  hosts: ['Hosts', '主机'],
  attention: ['Needs attention', '需要关注'],
  nothing: ['Nothing does.', '一切正常。'],
  latest: ['Latest', '最新动态'],
  noEvents: ['What people and the pool itself do will appear here.', '用户和池自身的操作会显示在这里。'],
  allApps: ['All {n} apps', '全部 {n} 个应用'],
  allEvents: ['All events', '所有事件'],
  moreAttention: ['and {n} more', '另有 {n} 项'],
  // What needs attention.
  hostDown: ['{name} does not answer', '{name} 无响应'],
  hostSuspect: ['{name} is suspect', '{name} 可疑'],
  hostWaits: ['{name} waits for approval', '{name} 等待批准'],
  hostPending: ['{name} was not reached yet', '尚未连接到 {name}'],
  hostLacks: ['{name} lacks something', '{name} 缺少一些东西'],
  hostsLack: ['{n} hosts lack something', '{n} 台主机缺少一些东西'],
  hostFull: ['{name} is nearly full: {what} {share} reserved', '{name} 快满了：{what}已预留 {share}'],
  hostOut: ['{name} is {state}: nothing new goes there', '{name} {state}：不再接收新容器'],
  appFailed: ['{name}: {word}', '{name}：{word}'],
  takenBack: ['{name}: the last change was taken back', '{name}：上次变更已撤回'],
  restored: ['The records were restored from a backup', '记录已从备份恢复'],
  // Empty.
  welcome: ['Bring in the first host', '添加第一台主机'],
  welcomeText: [
    'A host is any machine with Docker 20.10 or newer.',
    '任何装有 Docker 20.10 或更新版本的机器都可以作为主机。',
  ],
  askAdmin: ['An administrator has to add it.', '需要由管理员添加。'],
  firstApp: ['Run something', '运行第一个应用'],
  firstAppText: [
    'The pool is ready. Try the sample, a small web server, or deploy an image of your own.',
    '池已就绪。可以试试示例（一个小型网页服务器），或部署您自己的镜像。',
  ],
});
