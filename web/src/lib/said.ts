/**
 * What the controller says in English, in the language of the moment. The sentence is the key: what is not known, such as
 * a text of an engine, stays as it came.
 */

import { said } from '../messages/said';
import { language } from './i18n.svelte';

interface Sentence {
  pattern: RegExp;
  names: readonly string[];
  chinese: string;
}

/** Sentences within sentences go no deeper. */
const DEEPEST = 5;
/** Said where a number could stand; it counts by itself. */
const ALL = '全部';

const sentences: readonly Sentence[] = Object.values(said)
  .map(([english, chinese]) => ({ english, sentence: sentenceOf(english, chinese) }))
  // Those that say most come first: others are a part of them.
  .sort((one, other) => literal(other.english) - literal(one.english))
  .map(({ sentence }) => sentence);

function literal(english: string): number {
  return english.replace(/\{\w+\}/g, '').length;
}

function sentenceOf(english: string, chinese: string): Sentence {
  const names = [...english.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const parts = english.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const text = parts.map((part, at) => part + (at < names.length ? hole(names[at] ?? '') : '')).join('');
  return { pattern: new RegExp(`^${text}$`, 's'), names, chinese };
}

/** What a value may be: a number by the name `n`, `m` or `k`, how long it lasts by `for`, else anything. */
function hole(name: string): string {
  if (/^[nmk]$/.test(name)) return '(\\d[\\d.]*|all)';
  if (name === 'for') return '(| for \\d[\\d.]* s)';
  if (name === 'engine' || name === 'time' || name === 'code') return '([^:;,()]+?)';
  return '(.+?)';
}

/** A text of the controller in the language of the moment. */
export function inWords(text: string): string {
  return language.current === 'zh' ? translated(text, DEEPEST) : text;
}

function translated(text: string, depth: number): string {
  if (depth === 0 || text === '') return text;
  for (const { pattern, names, chinese } of sentences) {
    const found = pattern.exec(text);
    if (!found) continue;
    const values = new Map(names.map((name, at) => [name, value(name, found[at + 1] ?? '', depth - 1)]));
    const filled = chinese.replace(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? '');
    return filled.replaceAll(`${ALL} 台`, ALL);
  }
  return text;
}

function value(name: string, text: string, depth: number): string {
  const each = (parts: string[]) => parts.map((part) => translated(part, depth));
  if (text === 'all') return ALL;
  if (name === 'for') return text.replace(/^ for (.*)$/, '（$1）');
  if (name === 'phrases' || name === 'spread') return each(text.split(', ')).join('，');
  if (name === 'lacking') return each(text.split(' and ')).join('、');
  if (name === 'witnesses') return each(text.split(/, | and /)).join('、');
  if (name === 'nearest') {
    const whole = translated(text, depth);
    const colon = text.indexOf(': ');
    return whole !== text || colon < 0 ? whole : `${text.slice(0, colon)}：${translated(text.slice(colon + 2), depth)}`;
  }
  if (name === 'reason' || name === 'rest' || name === 'what' || name === 'how') return translated(text, depth);
  return text;
}
