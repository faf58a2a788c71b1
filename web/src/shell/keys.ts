/** Where `g` and a letter lead. */
export const GO: Readonly<Record<string, string>> = {
  o: '/',
  a: '/apps',
  h: '/hosts',
  c: '/containers',
  e: '/events',
  t: '/terminals',
  w: '/workspaces',
  n: '/environments',
  d: '/deploy',
  s: '/settings',
};
