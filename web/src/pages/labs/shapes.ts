/** What the routes of labs and attempts answer. */

import type { Schemas } from '../../lib/api';
import type { Block } from './document/blocks';
import type { LabTerminal } from './bench/terminals';

/** Words that the description of the API leaves open are the ones that it names. */
export type Lab = Omit<Schemas['LabView'], 'visibility'> & { visibility: 'private' | 'shared' };
export type LabFile = Schemas['LabFileView'];
export type Problem = Omit<Schemas['LabProblemView'], 'severity'> & { severity: 'error' | 'warning' };
export type CheckTitle = Schemas['LabCheckView'];
export type Page = Omit<Schemas['LabPageView'], 'blocks' | 'problems' | 'checks'> & {
  blocks: readonly Block[];
  checks?: readonly CheckTitle[];
};
export type Preview = Page & { problems?: readonly Problem[] };
export type Outline = Omit<Schemas['LabOutlineView'], 'problems'> & { problems: readonly Problem[] };
export type Draft = Schemas['LabHistoryView'];
export type FileDifference = Omit<Schemas['LabFileDiffView'], 'kind'> & { kind: 'added' | 'changed' | 'removed' };
export type Report = Omit<Schemas['LabReportView'], 'problems'> & { problems: readonly Problem[] };

export type CheckState = 'passed' | 'failed' | 'timed-out' | 'not-run' | 'running';

export interface CheckView extends CheckTitle {
  /** Absent before its first run. */
  state?: CheckState | null;
  score: number;
  most: number;
  hint?: string | null;
  at?: string | null;
}

export interface QuizView {
  name: string;
  answered: boolean;
  right: boolean;
  /** What was answered: numbers of options, or one text. */
  answer?: readonly (number | string)[];
  score: number;
  most: number;
  explanation?: string | null;
}

export interface AttemptStep {
  title: string;
  seen: boolean;
  done: boolean;
  checks: readonly CheckView[];
  quizzes: readonly QuizView[];
  hints_opened: readonly number[];
  /** Whether it is being made ready: it can't be checked yet. */
  preparing?: boolean;
  /** Why that failed. */
  setup_failed?: string | null;
}

export interface Attempt {
  id: string;
  lab: string;
  title: string;
  account: string;
  /** The others of their group, who work at it too. */
  group?: readonly string[];
  version: number;
  /** Absent if the lab is gone. */
  newest_version?: number | null;
  course?: string | null;
  /** Empty for the lab's own. */
  language: string;
  languages: readonly string[];
  workspace?: string | null;
  step: number;
  steps: readonly AttemptStep[];
  score: number;
  most: number;
  started_at: string;
  done_at?: string | null;
  terminals: readonly LabTerminal[];
}

/** What came of a check that an author ran. */
export interface CheckResult {
  step: number;
  run: 'setup' | 'checks' | 'solution';
  name: string;
  title: string;
  state: CheckState;
  score: number;
  hint?: string | null;
  exit?: number | null;
  /** The last of what it printed. */
  said: string;
  seconds: number;
}
