/** What the dialogs say in which something is shared with accounts. */

import { messages } from '../lib/i18n.svelte';

export const guests = messages({
  account: ['Account', '账户'],
  add: ['Share with this account', '共享给该账户'],
  failed: ['It could not be shared', '无法共享'],
  guests: ['Shared with', '已共享给'],
  nobody: ['Nobody yet. The owner and administrators can always come.', '尚未共享。所有者和管理员始终可以进入。'],
  role: ['They', '对方'],
  shared: ['{who} may come now', '{who} 现在可以进入'],
  sharedNot: ['{who} may not come any more', '{who} 不能再进入'],
  takeBack: ['Take back', '收回'],
  takeBackFrom: ['Take back from {who}', '从 {who} 收回'],
  title: ['Share {name}', '共享 {name}'],
  viewer: ['May look', '可以观看'],
});
