/** The console's messages, as its source has them: to find what a page says in the wrong language. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { source } from './place';

/** Pairs of the two languages that differ. */
export function pairs(): { english: string; chinese: string }[] {
  const folder = join(source, 'messages');
  const found: { english: string; chinese: string }[] = [];
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.ts'))) {
    const file = ts.createSourceFile(name, readFileSync(join(folder, name), 'utf8'), ts.ScriptTarget.Latest);
    const look = (node: ts.Node): void => {
      if (ts.isArrayLiteralExpression(node) && node.elements.length === 2) {
        const [english, chinese] = node.elements;
        if (english && chinese && ts.isStringLiteralLike(english) && ts.isStringLiteralLike(chinese)) {
          if (english.text !== chinese.text) found.push({ english: english.text, chinese: chinese.text });
        }
      }
      ts.forEachChild(node, look);
    };
    look(file);
  }
  return found;
}

/** A pattern that fits what a message becomes when its values are filled in; nothing if hardly more than values is left. */
export function pattern(message: string): RegExp | undefined {
  const parts = message.split(/\{[^}]*\}/);
  if (parts.join('').replace(/[^\p{L}]/gu, '').length < 3) return undefined;
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^\\s*${escaped.join('.{0,60}?')}\\s*$`, 'u');
}
