/** A line between browser and controller that can be cut, and put together again. */

import { createServer, connect, type Server, type Socket } from 'node:net';

export class Line {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #target: { host: string; port: number };
  #isCut = false;
  #delay = 0;

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
    this.#server = createServer((near) => this.#through(near));
  }

  static async to(url: string): Promise<Line> {
    const line = new Line(new URL(url));
    await new Promise<void>((done) => line.#server.listen(0, '127.0.0.1', done));
    return line;
  }

  /** Where browsers call. */
  get home(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the line is closed');
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Ends every connection in the middle of whatever byte it is at; new ones are ended too, until it is mended. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#open) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Everything takes this much longer in each direction, in milliseconds. */
  slow(delay: number): void {
    this.#delay = delay;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((done) => this.#server.close(done));
  }

  #through(near: Socket): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect({ ...this.#target, noDelay: true });
    near.setNoDelay(true);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#open.add(from);
      from.on('data', (bytes) => {
        const write = () => {
          if (!to.destroyed && !to.write(bytes)) {
            from.pause();
            to.once('drain', () => from.resume());
          }
        };
        if (this.#delay > 0) setTimeout(write, this.#delay);
        else write();
      });
      from.on('end', () => setTimeout(() => to.end(), this.#delay));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#open.delete(from);
        to.destroy();
      });
    }
  }
}
