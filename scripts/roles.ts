/** `npm run roles`: writes docs/roles.md from the policies. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../local/state-directory';
import { rolesPage } from './roles-page';

writeFileSync(join(projectRoot, 'docs', 'roles.md'), rolesPage());
