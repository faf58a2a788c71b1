import { words } from '../lib/i18n.svelte';
import { session } from '../lib/session.svelte';
import { toast } from '../lib/toast.svelte';
import { shell } from '../messages/shell';

const t = words(shell);

/** Ends the session; says so if it could not be ended. */
export async function logOut(): Promise<void> {
  try {
    await session.logOut();
  } catch (error) {
    toast.failed(t('logOutFailed'), error);
  }
}
