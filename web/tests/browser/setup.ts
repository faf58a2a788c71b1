/** Makes the pool that all tests share, with people and apps in it, and removes it when they have ended. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { api, deploy, sample, shell, tokenOf } from './api';
import { ACCOUNTS, ann, ROLES } from './people';
import { keep, pictures, type Pool, program } from './place';
import { corpus } from './corpus';
import { SAMPLER, teach, writeLab } from './labs';

const run = promisify(execFile);

export default async function setup(): Promise<() => Promise<void>> {
  rmSync(pictures, { recursive: true, force: true });
  mkdirSync(pictures, { recursive: true });
  const place = mkdtempSync(join(tmpdir(), 'pierhead-web-'));
  const dir = join(place, 'pool');
  const down = async () => {
    await run(program, ['dev', 'down', '--dir', dir], { timeout: 120_000 });
    rmSync(place, { recursive: true, force: true });
  };
  const up = await run(program, ['dev', 'up', '--hosts', '3', '--agents', '--json', '--dir', dir], {
    timeout: 180_000,
  });
  try {
    keep(JSON.parse(up.stdout) as Pool);
    await furnish();
  } catch (error) {
    await down();
    throw error;
  }
  return down;
}

async function furnish(): Promise<void> {
  for (const role of ROLES) await api('POST', '/api/roles', role);
  for (const account of ACCOUNTS) await api('POST', '/api/account', account);
  const token = await tokenOf(ann.username, ann.password);
  await api('POST', '/api/environments', {
    name: 'locked',
    visibility: 'shared',
    description: { containers: [{ image: 'pierhead/sample:1', cpus: 0.1, memory: 32 }], asks: { privileged: true } },
  });
  await api('POST', '/api/workspaces', { environment: 'locked', name: 'patience' });
  await writeLab('sampler', SAMPLER);
  await api('POST', '/api/labs/sampler/attempts', {});
  await teach('web-101', 'sampler');
  await Promise.all([
    deploy('web', sample({ bind_ports: [{ container_port: 80 }] }), 3),
    deploy('shop', sample({ bind_ports: [{ container_port: 80 }] }), 1, token),
    deploy('talk', shell('i=0; while true; do i=$((i+1)); echo "line $i of the log"; sleep 0.2; done'), 2),
    deploy(
      'hostile',
      shell(`while true; do ${corpus.map((text) => `printf '%s\\n' ${quoted(text)}`).join('; ')}; sleep 1; done`),
    ),
  ]);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
