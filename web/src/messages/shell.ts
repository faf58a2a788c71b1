/** Navigation, connection, search, keys, log-in. */

import { messages } from '../lib/i18n.svelte';

export const shell = messages({
  skip: ['Skip to content', '跳到内容'],
  navigation: ['Pages', '页面'],
  more: ['More', '更多'],
  search: ['Search', '搜索'],
  account: ['Account and settings: {name}', '账户与设置：{name}'],
  logOut: ['Log out', '退出登录'],
  logOutFailed: ['Logging out failed', '退出登录失败'],
  themeSystem: ['Theme of the system', '跟随系统主题'],
  themeLight: ['Light theme', '浅色主题'],
  themeDark: ['Dark theme', '深色主题'],
  keys: ['Keyboard keys', '键盘快捷键'],
  apiDocs: ['API reference', 'API 文档'],

  live: ['Live', '实时'],
  connecting: ['Connecting', '正在连接'],
  offline: ['Offline', '离线'],
  stale: ['Stale', '已过时'],
  deaf: ['Not live', '非实时'],
  liveTitle: ['Changes show by themselves.', '更改会自动显示。'],
  offlineBanner: [
    'The controller does not answer. What you see is {age} old; containers run on. Next try in {next}.',
    '控制器没有响应。您看到的是 {age}前的内容；容器仍在运行。{next}后重试。',
  ],
  neverBanner: ['The controller does not answer yet. Next try in {next}.', '控制器尚未响应。{next}后重试。'],
  staleBanner: [
    'Nothing was heard from the controller for {age}. Connecting anew.',
    '已有 {age} 没有收到控制器的消息，正在重新连接。',
  ],
  deafBanner: [
    'Your role may not read events, so changes show only when a page is opened anew.',
    '您的角色无权读取事件，因此只有重新打开页面才会显示更改。',
  ],
  tryNow: ['Try now', '立即重试'],
  backOnline: ['The connection is back.', '连接已恢复。'],

  notFound: ['There is no such page', '没有这个页面'],
  notFoundText: [
    '“{path}” leads nowhere. The address may be mistyped, or from another version.',
    '“{path}”不存在。地址可能有误，或来自其他版本。',
  ],
  toOverview: ['Go to the overview', '前往总览'],
  forbidden: ['Your role does not show this page', '您的角色无法查看此页面'],
  forbiddenText: [
    'You are {name}, with the role {role}. This page needs the permission {permission}; an administrator can give you another role.',
    '您是 {name}，角色为 {role}。此页面需要权限 {permission}；管理员可以为您更换角色。',
  ],
  pageFailed: ['This page could not be loaded', '无法加载此页面'],
  pageFailedText: [
    'The controller does not answer, or has another version since the console was opened.',
    '控制器没有响应，或在打开控制台后更换了版本。',
  ],
  pageBroken: ['This page has a defect', '此页面出现错误'],
  pageBrokenText: [
    'It could not be drawn; nothing was changed by that. The browser’s console says more.',
    '页面无法显示，未造成任何更改。浏览器控制台中有更多信息。',
  ],
  tryAgain: ['Try again', '重试'],
  reload: ['Reload', '重新加载'],
  startFailed: ['The controller does not answer', '控制器没有响应'],

  paletteLabel: ['Search or run', '搜索或执行'],
  paletteHint: ['Pages, apps, hosts, containers, actions', '页面、应用、主机、容器、操作'],
  paletteNone: ['Nothing fits “{query}”.', '没有与“{query}”匹配的内容。'],
  paletteCount: ['{n} {n|result|results}', '{n} 个结果'],
  page: ['Page', '页面'],
  app: ['App', '应用'],
  host: ['Host', '主机'],
  workspace: ['Workspace', '工作区'],
  container: ['Container', '容器'],
  action: ['Action', '操作'],

  keysTitle: ['Keys', '快捷键'],
  keysAnywhere: ['Anywhere', '任何位置'],
  keysLists: ['In lists', '列表中'],
  keysGo: ['Go to', '前往'],
  keyPalette: ['Search, run an action', '搜索、执行操作'],
  keyHelp: ['This list', '显示此列表'],
  keyEscape: ['Close what is open', '关闭当前窗口'],
  keyDown: ['Next row', '下一行'],
  keyUp: ['Row before', '上一行'],
  keyOpen: ['Open the row', '打开该行'],
  keyFilter: ['Filter', '筛选'],
  keysOff: ['Single letters can be switched off in “My settings”.', '可以在“我的设置”中关闭单字母快捷键。'],
});

export const logIn = messages({
  title: ['Log in', '登录'],
  lead: ['One pool out of plain Docker hosts.', '把普通的 Docker 主机组成一个资源池。'],
  username: ['User name', '用户名'],
  password: ['Password', '密码'],
  submit: ['Log in', '登录'],
  show: ['Show', '显示'],
  hide: ['Hide', '隐藏'],
  showLabel: ['Show the password', '显示密码'],
  hideLabel: ['Hide the password', '隐藏密码'],
  missing: ['Give a user name and a password.', '请输入用户名和密码。'],
  wrong: ['User name or password is wrong.', '用户名或密码错误。'],
  tooMany: [
    'Too many attempts. The next one is possible in {n} {n|second|seconds}.',
    '尝试次数过多。请在 {n} 秒后再试。',
  ],
  offline: [
    'The controller does not answer. Check that it runs and that this device reaches it.',
    '控制器没有响应。请检查它是否在运行，以及本设备能否访问它。',
  ],
  expired: ['Your session has ended. Log in to go on where you were.', '会话已结束。请登录后继续。'],
  firstTitle: ['Where is my first password?', '首次登录的密码在哪里？'],
  first: [
    'The first start of the controller prints the account “admin” and its password once, where it was started. As a service of systemd it is in its journal:',
    '控制器首次启动时，会在启动它的终端输出一次“admin”账户及其密码。若作为 systemd 服务运行，可在日志中找到：',
  ],
  firstDev: ['A development pool prints it, too:', '开发用资源池同样会输出：'],
  firstJournal: ['Command that shows the journal', '查看日志的命令'],
  firstDevLabel: ['Command that starts a development pool', '启动开发资源池的命令'],
  firstOther: [
    'If you have an account, whoever administers the pool can set a new password for it.',
    '如果您已有账户，资源池的管理员可以为您设置新密码。',
  ],
  insecure: [
    'This connection is not encrypted: others on the network can read the password.',
    '此连接未加密：网络上的其他人可能会看到密码。',
  ],
});
