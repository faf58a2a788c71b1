/** A pool of its own for a story: three hosts with agents, and a school that it knows. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './api';
import { type Pool, program } from './place';
import { School } from './school';

const run = promisify(execFile);

/** What `pierhead dev up --agents` tells of such a pool. */
export interface StagedPool extends Pool {
  hosts: { name: string; address: string; pid: number; docker_host: string }[];
}

export class Stage {
  private constructor(
    readonly pool: StagedPool,
    readonly school: School,
    readonly place: string,
  ) {}

  /** Brings all of it up; `rows` is what the school's database holds, `more` what the pool is told beside. */
  static async set(rows: string, more: Record<string, string> = {}): Promise<Stage> {
    const place = mkdtempSync(join(tmpdir(), 'pierhead-story-'));
    let school: School | undefined;
    try {
      school = await School.start(rows);
      const env = { ...process.env, ...school.settings(), ...more };
      const argv = ['dev', 'up', '--hosts', '3', '--agents', '--json', '--dir', join(place, 'pool')];
      const up = await run(program, argv, { env, timeout: 180_000 });
      return new Stage(JSON.parse(up.stdout) as StagedPool, school, place);
    } catch (error) {
      await school?.stop();
      rmSync(place, { recursive: true, force: true });
      throw error;
    }
  }

  /** Waits until the controller has read who the school's people are. */
  async isKnown(): Promise<void> {
    const headers = { authorization: `Bearer ${this.pool.token}` };
    await eventually('the list of the school is read', async () => {
      const answer = await fetch(`${this.pool.url}/api/roster`, { headers });
      return ((await answer.json()) as { outcome?: string }).outcome === 'done';
    });
  }

  /** The sockets of its engines. */
  get sockets(): string[] {
    return this.pool.hosts.map(({ docker_host }) => docker_host.replace('unix://', ''));
  }

  async strike(): Promise<void> {
    await run(program, ['dev', 'down', '--dir', join(this.place, 'pool')], { timeout: 120_000 });
    await this.school.stop();
    rmSync(this.place, { recursive: true, force: true });
  }
}
