/** docs/roles.md is what the policies say today. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolesPage } from '../../scripts/roles-page';

it('docs/roles.md is current; npm run roles makes it', () => {
  expect(readFileSync(join(__dirname, '../../docs/roles.md'), 'utf8')).toBe(rolesPage());
});
