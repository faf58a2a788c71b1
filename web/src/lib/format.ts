/** Numbers, sizes and moments as people read them, in the language of the moment. */

import { language } from './i18n.svelte';

const formats = new Map<string, Intl.NumberFormat>();

function digits(value: number, most: number): string {
  const key = `${language.locale} ${most}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language.locale, { maximumFractionDigits: most });
    formats.set(key, format);
  }
  return format.format(value);
}

/** `12,345`; up to `most` digits after the point. */
export function number(value: number, most = 0): string {
  return digits(value, most);
}

/** Cores: `0.25`, `2`, `16`. */
export function cores(value: number): string {
  return digits(value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

/** Bytes: `512 B`, `1.5 MB`, `24 GB`, in steps of 1,000 as Docker and disks count. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let rest = value;
  let unit = 0;
  while (Math.abs(rest) >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${digits(rest, unit === 0 || Math.abs(rest) >= 100 ? 0 : 1)}\u00a0${units[unit]}`;
}

/** What the API counts in MB (memory, reservations). */
export function megabytes(value: number): string {
  return bytes(value * 1e6);
}

/** Bytes a second. */
export function rate(value: number): string {
  return `${bytes(value)}/s`;
}

/** `42 %` of a share of 1. */
export function percent(share: number): string {
  return `${digits(share * 100, share > 0 && share < 0.1 ? 1 : 0)}\u00a0%`;
}

/** `3 s`, `5 min`, `2 h`, `4 d` for a span in milliseconds: never more exact than it is useful. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const zh = language.current === 'zh';
  if (seconds < 60) return zh ? `${seconds} 秒` : `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return zh ? `${minutes} 分钟` : `${minutes} min`;
  const hours = Math.round(minutes / 60);
  if (hours < 48) return zh ? `${hours} 小时` : `${hours} h`;
  const days = Math.round(hours / 24);
  return zh ? `${days} 天` : `${days} d`;
}

/** `just now`, `5 min ago`, `in 3 h`; `now` in milliseconds since 1970. */
export function relative(moment: string | number, now: number): string {
  const at = typeof moment === 'number' ? moment : Date.parse(moment);
  if (!Number.isFinite(at)) return String(moment);
  const zh = language.current === 'zh';
  const ms = now - at;
  if (Math.abs(ms) < 2_500) return zh ? '刚刚' : 'just now';
  if (ms < 0) return zh ? `${span(-ms)}后` : `in ${span(-ms)}`;
  return zh ? `${span(ms)}前` : `${span(ms)} ago`;
}

/** The moment to the second in the browser's time zone, with the zone. */
export function exact(moment: string | number): string {
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return String(moment);
  return at.toLocaleString(language.locale, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
}

/** The time of day to the second; for log lines and events of one day. */
export function timeOfDay(moment: string | number): string {
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return String(moment);
  return at.toLocaleTimeString(language.locale, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  });
}

/** The first characters of a long id. */
export function short(id: string, length = 12): string {
  return id.length > length ? id.slice(0, length) : id;
}
