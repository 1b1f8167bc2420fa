/** `npm run openapi`: writes docs/openapi.json anew, after a change of a route or a schema. test/docs/openapi.test.ts holds it current. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from './openapi-document';

const file = join(__dirname, '..', 'docs', 'openapi.json');
writeFileSync(file, `${JSON.stringify(openApiDocument(), undefined, 2)}\n`);
process.stdout.write(`${file} written\n`);
