/** What pages are called: in the navigation, in titles of windows. A file of its own, since all of it is loaded at first. */

import { messages } from '../lib/i18n.svelte';

export const titles = messages({
  overview: ['Overview', '总览'],
  hosts: ['Hosts', '主机'],
  host: ['Host', '主机'],
  addHost: ['Add a host', '添加主机'],
  rebalance: ['Even out the load', '均衡负载'],
  apps: ['Apps', '应用'],
  app: ['App', '应用'],
  changeApp: ['Change', '变更'],
  deploy: ['Deploy', '部署'],
  containers: ['Containers', '容器'],
  container: ['Container', '容器'],
  events: ['Events', '事件'],
  images: ['Images', '镜像'],
  registries: ['Registries', '镜像仓库'],
  terminals: ['Terminals', '终端'],
  terminal: ['Terminal', '终端'],
  recording: ['Recording', '录像'],
  environments: ['Environments', '环境'],
  environment: ['Environment', '环境'],
  newEnvironment: ['New environment', '新建环境'],
  changeEnvironment: ['Change', '变更'],
  workspaces: ['Workspaces', '工作区'],
  workspace: ['Workspace', '工作区'],
  saves: ['Saves', '存档'],
  accounts: ['Accounts', '账户'],
  roles: ['Roles', '角色'],
  tokens: ['Tokens', '令牌'],
  settings: ['My settings', '我的设置'],
});
