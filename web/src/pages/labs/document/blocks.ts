/** What a lab's page is made of, and what whoever shows it gives to its blocks. */

import { getContext, setContext } from 'svelte';

export type RunBlock = {
  kind: 'run';
  code: string;
  language: string;
  terminal?: string | null;
  interrupt: boolean;
  inline: boolean;
};
export type EditBlock = { kind: 'edit'; code: string; language: string; file: string; container?: string | null };
export type PreviewBlock = { kind: 'preview'; text: string; container?: string | null; port: number; path: string };
export type QuizBlock = {
  kind: 'quiz';
  name: string;
  question: string;
  options: readonly string[];
  several: boolean;
  score: number;
};
export type Block =
  | RunBlock
  | { kind: 'copy'; code: string; language: string; inline: boolean }
  | EditBlock
  | PreviewBlock
  | { kind: 'image'; file: string; alt: string; title: string }
  | { kind: 'hint'; title: string; html: string }
  | QuizBlock
  | { kind: 'step'; text: string; step: number }
  | { kind: 'file'; text: string; file: string };

/** What somebody says to a question: the options that they chose, from 0, or a text. */
export type Answer = readonly number[] | readonly [string];

/** The result of a question. */
export interface Answered {
  right: boolean;
  answer?: readonly (number | string)[] | undefined;
  score: number;
  most: number;
  explanation?: string | null | undefined;
}

/** What blocks of a page can do where it is shown; what is absent can't be done there. */
export interface Desk {
  /** Runs code in a terminal. */
  readonly run?: ((block: RunBlock) => Promise<void>) | undefined;
  /** Puts text into a file. */
  readonly edit?: ((block: EditBlock) => Promise<void>) | undefined;
  /** Opens what a port serves. */
  readonly preview?: ((block: PreviewBlock) => Promise<void>) | undefined;
  /** Where an image or another file of the lab is to be had. */
  file(path: string): string;
  step(step: number): void;
  /** Which hints are open, by their place on the page; they open one after another. */
  readonly hints: ReadonlySet<number>;
  hint(at: number): Promise<void>;
  answered(quiz: string): Answered | undefined;
  readonly answer?: ((quiz: string, answer: Answer) => Promise<void>) | undefined;
}

/** The page that blocks stand on. */
export interface Shown {
  readonly blocks: readonly Block[];
  readonly desk: Desk;
}

const KEY = Symbol('the page of a lab');

export function provide(shown: Shown): void {
  setContext(KEY, shown);
}

export function shown(): Shown {
  return getContext(KEY);
}

/** Which of the page's hints a block is, from 0. */
export function hintNumber(blocks: readonly Block[], block: number): number {
  return blocks.slice(0, block).filter(({ kind }) => kind === 'hint').length;
}
