/** Images that stand for those of registries: made of this machine's own programs, and given to all hosts of a pool. */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPT = resolve(import.meta.dirname, '../../../crates/pierhead/tests/e2e/labs/stand_in.sh');
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Gives `mariadb:11` to engines, by their sockets. */
export async function giveMariaDb(sockets: readonly string[]): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'pierhead-image-'));
  try {
    execFileSync('sh', [SCRIPT, root, 'mariadb'], { stdio: 'pipe' });
    for (const socket of sockets) await give(socket, root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function give(socketPath: string, root: string): Promise<void> {
  const query = new URLSearchParams({ fromSrc: '-', repo: 'mariadb', tag: '11' });
  query.append('changes', `ENV ${PATH}`);
  query.append('changes', 'CMD ["/bin/start-mariadb"]');
  return new Promise((done, failed) => {
    const tar = spawn('tar', ['-C', root, '--numeric-owner', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const headers = { 'content-type': 'application/x-tar' };
    const sent = request({ socketPath, method: 'POST', path: `/images/create?${query}`, headers }, (answer) => {
      let said = '';
      answer.on('data', (part) => (said += String(part)));
      answer.on('end', () => {
        if (answer.statusCode === 200 && !said.includes('"error"')) done();
        else failed(new Error(`${answer.statusCode} ${said}`));
      });
    });
    for (const one of [sent, tar]) one.on('error', failed);
    tar.stdout.pipe(sent);
  });
}
