/** Who uses the pool, one of each kind of role. */

export interface Person {
  username: string;
  password: string;
}

const password = 'correct horse battery staple';

/** May do all; the password is the pool's own. */
export const ADMIN = 'admin';
/** May run things, and change her own. */
export const ann: Person = { username: 'ann', password };
/** As ann: whom she writes labs with. */
export const tom: Person = { username: 'tom', password };
/** May work through labs and nothing else. */
export const sue: Person = { username: 'sue', password };
/** May look only. */
export const vic: Person = { username: 'vic', password };
/** May see hosts and nothing else. */
export const hal: Person = { username: 'hal', password };
/** Is thrown out by a test. */
export const ned: Person = { username: 'ned', password };
/** Is locked out by a test. */
export const lou: Person = { username: 'lou', password };

export const ROLES = [
  { name: 'viewer', permissions: ['read-engines', 'read-cluster', 'read-containers', 'read-events'] },
  { name: 'hosts-only', permissions: ['read-engines'] },
];
export const ACCOUNTS = [
  { ...ann, role: { name: 'user' } },
  { ...vic, role: { name: 'viewer' } },
  { ...hal, role: { name: 'hosts-only' } },
  { ...ned, role: { name: 'user' } },
  { ...lou, role: { name: 'user' } },
  { ...tom, role: { name: 'user' } },
  { ...sue, role: { name: 'student' } },
];
