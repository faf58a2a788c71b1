/** What a running operation tells: how far it is, and what it waits for. */
import type { Schemas } from '../../lib/api';

export type Operation = Schemas['OperationView'];
type Verdict = Operation['verdicts'][number];

/** How far it is. */
export interface Progress {
  done: number;
  failed: number;
  all: number;
  /** Slots that are not done, those with something to tell first. */
  open: Verdict[];
}

export function progress(operation: Operation): Progress {
  const of = (state: Verdict['state']) => operation.verdicts.filter((verdict) => verdict.state === state);
  const open = of('pending').sort((one, two) => Number(!one.message) - Number(!two.message) || one.slot - two.slot);
  return { done: of('done').length, failed: of('failed').length, all: operation.verdicts.length, open };
}

/** Operations that go on, of an app or that concern a host; the oldest first. */
export function running(operations: readonly Operation[], about: { app?: string; engine?: string } = {}): Operation[] {
  return operations.filter((one) => one.state === 'running' && concerns(one, about)).reverse();
}

function concerns(operation: Operation, { app, engine }: { app?: string; engine?: string }): boolean {
  if (app !== undefined && operation.app !== app && !operation.verdicts.some((verdict) => verdict.app === app))
    return false;
  if (engine === undefined) return true;
  const inTitle = operation.title.split(/[\s,]+/).includes(engine);
  return inTitle || operation.verdicts.some((verdict) => verdict.engine === engine && verdict.state === 'pending');
}
