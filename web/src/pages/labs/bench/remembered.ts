/** Which workspace an author tries a lab in: it is found again when they come back. */

const keyOf = (lab: string) => `pierhead.lab-bench.${lab}`;

export function remembered(lab: string): string | undefined {
  try {
    return localStorage.getItem(keyOf(lab)) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(lab: string, workspace: string): void {
  try {
    localStorage.setItem(keyOf(lab), workspace);
  } catch {
    // Without storage it is opened by hand again, which finds the same one.
  }
}

interface Known {
  id: string;
  owner: string;
  phase: string;
  environment: string;
}

/** The one of a list: that which was opened here last, or the one of the draft's environment. */
export function benchOf<T extends Known>(
  lab: string,
  all: readonly T[],
  me: string | undefined,
  last: string | undefined,
) {
  const mine = all.filter((one) => one.owner === me && one.phase !== 'ended' && one.environment.startsWith('lab-'));
  return mine.find(({ id }) => id === last) ?? mine.find(({ environment }) => environment === `lab-${lab}-draft`);
}
