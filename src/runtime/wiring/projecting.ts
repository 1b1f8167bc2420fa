/** The world as project-views sees it: the views table, and the two secrets it needs to tell genuine states of customers and to name the rows of the search index. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { viewStore } from '../../adapters/aws/view-store';
import { loadSecrets } from '../../operations/load-secrets';
import type { ProjectDeps } from '../../operations/project-views';
import { setting } from '../settings';
import { keyPorts, now } from './world';

export const projectDeps = (): ProjectDeps => ({ views: viewStore(dynamoDb(), setting('VIEWS_TABLE')), keys: loadSecrets(keyPorts()), now });
