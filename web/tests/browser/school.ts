/** A school: its own database of people and courses (a real MariaDB), and its site, which sends people to the console. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './api';

/** The tables that need no mapping, as the guide shows them. */
const TABLES = `
CREATE DATABASE school CHARACTER SET utf8mb4;
CREATE USER 'pier'@'localhost' IDENTIFIED BY 'open sesame';
GRANT SELECT ON school.* TO 'pier'@'localhost';
USE school;
CREATE TABLE people (username VARCHAR(63) PRIMARY KEY, name VARCHAR(200), role VARCHAR(20), password_hash VARCHAR(255), active SMALLINT);
CREATE TABLE courses (id VARCHAR(63) PRIMARY KEY, title VARCHAR(200), term VARCHAR(64), zone VARCHAR(64));
CREATE TABLE enrolments (course_id VARCHAR(63), username VARCHAR(63), role VARCHAR(20), group_name VARCHAR(64));
`;

export class School {
  readonly #process: ChildProcess;
  readonly #place: string;
  readonly #key = randomBytes(24).toString('hex');

  private constructor(process: ChildProcess, place: string) {
    this.#process = process;
    this.#place = place;
  }

  /** Starts the database with what it is to hold beside the empty tables. */
  static async start(rows: string): Promise<School> {
    const place = mkdtempSync(join(tmpdir(), 'pierhead-school-'));
    const [data, log] = [join(place, 'data'), openSync(join(place, 'log'), 'w')];
    mkdirSync(data);
    const common = ['--no-defaults', '--user=root', `--datadir=${data}`, `--tmpdir=${place}`];
    execFileSync('mariadb-install-db', [...common, '--auth-root-authentication-method=normal', '--skip-test-db']);
    const files = [`--socket=${join(place, 'socket')}`, `--pid-file=${join(place, 'pid')}`];
    const started = spawn(
      'mariadbd',
      [...common, ...files, '--skip-networking', '--innodb-flush-log-at-trx-commit=0'],
      {
        stdio: ['ignore', log, log],
      },
    );
    const school = new School(started, place);
    try {
      await eventually('the database is there', async () => {
        school.run('SELECT 1');
        return true;
      });
      school.run(`${TABLES}${rows}`);
      return school;
    } catch (error) {
      const said = readFileSync(join(place, 'log'), 'utf8');
      await school.stop();
      throw new Error(`no database:\n${said}`, { cause: error });
    }
  }

  /** Runs SQL as its administrator. */
  run(sql: string): void {
    const socket = `--socket=${join(this.#place, 'socket')}`;
    execFileSync('mariadb', ['--no-defaults', '--user=root', socket], { input: sql, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** What a controller needs to know of it, as settings in its environment. */
  settings(): Record<string, string> {
    const file = (name: string, text: string) => {
      writeFileSync(join(this.#place, name), text, { mode: 0o600 });
      return join(this.#place, name);
    };
    return {
      PIERHEAD_ROSTER_URL: `mysql://pier@localhost/school?tls=off&socket=${join(this.#place, 'socket')}`,
      PIERHEAD_ROSTER_PASSWORD_FILE: file('password', 'open sesame\n'),
      PIERHEAD_ROSTER_EVERY: '10s',
      PIERHEAD_REDIRECT_KEY_FILE: file('key', `${this.#key}\n`),
    };
  }

  /** The address to which its site sends somebody who clicks there now. */
  link(home: string, to: { user: string; course?: string; lab?: string }): string {
    const nonce = randomBytes(16).toString('hex');
    const query = new URLSearchParams({ ...to, time: String(Math.floor(Date.now() / 1000)), nonce }).toString();
    const sig = createHmac('sha256', this.#key).update(query).digest('hex');
    return `${home}auth/redirect?${query}&sig=${sig}`;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#place, { recursive: true, force: true });
  }
}
