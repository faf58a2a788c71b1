/** What the shared parts say. */

import { messages } from '../lib/i18n.svelte';

export const parts = messages({
  cancel: ['Cancel', '取消'],
  close: ['Close', '关闭'],
  command: ['the command', '命令'],
  copied: ['Copied', '已复制'],
  copy: ['Copy', '复制'],
  copyFailed: ['Select and copy it by hand', '请手动选择并复制'],
  copyWhat: ['Copy {what}', '复制{what}'],
  dismiss: ['Dismiss', '关闭此消息'],
  divider: ['Divider: move it by the arrow keys', '分隔条：用方向键移动'],
  done: ['Done', '完成'],
  failed: ['Failed', '失败'],
  filter: ['Filter', '筛选'],
  filterLabel: ['Filter {label}', '筛选{label}'],
  loading: ['Waiting for the controller', '正在等待控制器'],
  noneMatch: ['Nothing matches “{filter}”.', '没有与“{filter}”匹配的内容。'],
  note: ['Note', '提示'],
  notes: ['Messages', '消息'],
  nothing: ['Nothing here yet.', '这里还没有内容。'],
  ofRows: ['{n} of {all}', '{all} 项中的 {n} 项'],
  rows: ['{n} in all', '共 {n} 项'],
  typeName: ['Type “{name}” to confirm', '输入“{name}”以确认'],
  undo: ['Undo', '撤销'],
  undoFailed: ['It could not be undone', '无法撤销'],
});
