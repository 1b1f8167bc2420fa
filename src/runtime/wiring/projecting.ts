/** The world as project-views sees it: the views table and nothing else. */
import { dynamoDb } from '../../adapters/aws/dynamodb';
import { viewStore } from '../../adapters/aws/view-store';
import type { ProjectDeps } from '../../operations/project-views';
import { setting } from '../settings';

export const projectDeps = (): ProjectDeps => ({ views: viewStore(dynamoDb(), setting('VIEWS_TABLE')) });
