/** Navigation, connection, search, keys, log-in. */

import { messages } from '../lib/i18n.svelte';

export const shell = messages({
  overview: ['Overview', '总览'],
  hosts: ['Hosts', '主机'],
  apps: ['Apps', '应用'],
  deploy: ['Deploy', '部署'],
  containers: ['Containers', '容器'],
  events: ['Events', '事件'],
  terminals: ['Terminals', '终端'],
  accounts: ['Accounts', '账户'],
  roles: ['Roles', '角色'],
  tokens: ['Tokens', '令牌'],
  settings: ['My settings', '我的设置'],
  notFound: ['Not found', '未找到'],
});
