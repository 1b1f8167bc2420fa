/**
 * `npm run bench -- restore-table`: records a second that a restore puts into a DynamoDB table, against what the same backend takes of the same items by BatchWriteItem alone, with nothing read,
 * opened or checked. The backend is the local cloud: the ratio says how much of a restore is waiting for the table, the rates themselves say nothing about AWS.
 */
import { inLocalCloud } from './in-local-cloud';

inLocalCloud('restore-table-guest.ts');
