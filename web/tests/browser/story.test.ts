/** A course from its first lab to its grades, as its teacher and two students live it, one part after the other. */

import { test } from './story/cast';
import { grading } from './story/grading';
import { preparing } from './story/preparing';
import { returning } from './story/returning';
import { runningOut } from './story/running-out';
import { watching } from './story/watching';

test.use({ actionTimeout: 60_000 });
test.describe.configure({ mode: 'serial' });

preparing();
returning();
runningOut();
watching();
grading();
