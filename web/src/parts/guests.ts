/** Accounts that somebody lets come to what is theirs. */

import type { Role } from './terminal/protocol';

export interface Guest {
  username: string;
  role: Role;
}
