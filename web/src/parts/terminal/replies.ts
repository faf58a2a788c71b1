/** What a screen says by itself, and what programs call themselves. */

/**
 * Whether something is a screen's answer to a program's question (its place, its kind, its colours), and nothing that
 * somebody typed.
 */
export function isReply(data: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^(\x1b\[[?>=]?[\d;]*[Rcnty$]+[\w]?|\x1b\][\d;]*[^\x07\x1b]*(\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\)+$/.test(data);
}

const LONGEST_TITLE = 80;

/** A title without what could not be seen or would turn the text around. */
export function plainTitle(title: string): string {
  const plain = title.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '').trim();
  return plain.length > LONGEST_TITLE ? `${plain.slice(0, LONGEST_TITLE - 1)}…` : plain;
}
