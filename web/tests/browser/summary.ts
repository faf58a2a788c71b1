/** Writes how many tests passed into the file that `make test` ends with. */

import type { FullResult, Reporter, Suite, TestCase } from '@playwright/test/reporter';
import { writeFileSync } from 'node:fs';

export default class Summary implements Reporter {
  #began = Date.now();
  #suite: Suite | undefined;

  onBegin(_: unknown, suite: Suite): void {
    this.#suite = suite;
  }

  onEnd(result: FullResult): void {
    const tests = this.#suite?.allTests() ?? [];
    const count = (is: (test: TestCase) => boolean) => tests.filter(is).length;
    const passed = count((test) => test.results.length > 0 && test.outcome() === 'expected');
    const failed = count((test) => test.outcome() === 'unexpected');
    const missing = tests.length - passed - failed;
    const seconds = ((Date.now() - this.#began) / 1000).toFixed(1);
    const rest = missing > 0 ? `, ${missing} not run` : '';
    const line = `Browser:    Tests  ${passed} passed, ${failed} failed${rest} (${seconds}s)${
      result.status === 'passed' ? '' : ` — ${result.status}`
    }\n`;
    if (process.env.PIERHEAD_SUMMARY) writeFileSync(process.env.PIERHEAD_SUMMARY, line, { flag: 'a' });
    process.stdout.write(line);
  }
}
