/** Where things are: the program under test, and what tests leave behind. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../../..');
export const program = process.env.PIERHEAD ?? join(repository, 'target/debug/pierhead');
export const dist = join(repository, 'web/dist');
export const source = join(repository, 'web/src');
/** Screenshots and reports; not committed. */
export const out = process.env.PIERHEAD_WEB_OUT ?? join(repository, 'target/web');

export const pictures = join(out, 'pictures');

export interface Server {
  url: string;
  pid: number;
}

/** The pool that all tests share, as `pierhead dev up` told of it. */
export interface Pool {
  url: string;
  username: string;
  password: string;
  token: string;
  dir: string;
  hosts: { name: string; address: string; pid: number }[];
  controllers: Server[];
}

const KEPT = join(out, 'pool.json');

export function keep(pool: Pool): void {
  writeFileSync(KEPT, JSON.stringify(pool), { mode: 0o600 });
}

export function pool(): Pool {
  return JSON.parse(readFileSync(KEPT, 'utf8')) as Pool;
}
