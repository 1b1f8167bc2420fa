/** The description of the records table is that of the template that is deployed: a table that was lost is made again as it was. */
import { RECORDS_TABLE } from '../../src/core/records-table';
import { settingsBeside } from '../../src/operations/restore-settings';
import { one, resolved, synthesized } from '../lib/synthesized';

const prod = synthesized('prod');
const table = (id: string) => one(prod.data, 'AWS::DynamoDB::Table', id).Properties;

/** A deployed table's settings, in the words of ports/restore-target.ts. */
const settingsOf = (id: string) => {
  const properties = table(id);
  const indexes = (properties['GlobalSecondaryIndexes'] ?? []) as readonly { readonly IndexName: string; readonly KeySchema: readonly { readonly AttributeName: string }[]; readonly Projection: { readonly ProjectionType: string } }[];
  return {
    stream: (properties['StreamSpecification']?.StreamViewType ?? null) as string | null,
    expires: (properties['TimeToLiveSpecification']?.AttributeName ?? null) as string | null,
    pointInTimeRecovery: properties['PointInTimeRecoverySpecification'].PointInTimeRecoveryEnabled as boolean,
    deletionProtection: properties['DeletionProtectionEnabled'] as boolean,
    encryptionKey: resolved(properties['SSESpecification'].KMSMasterKeyId, prod) as string,
    billing: properties['BillingMode'] === 'PAY_PER_REQUEST' ? ('on-demand' as const) : ('provisioned' as const),
    indexes: indexes.map(({ IndexName, KeySchema, Projection }) => `${IndexName}: ${KeySchema.map(({ AttributeName }) => AttributeName).join(', ')} (${Projection.ProjectionType})`),
    tags: ((properties['Tags'] ?? []) as readonly { readonly Key: string; readonly Value: string }[]).map(({ Key, Value }) => `${Key}=${Value}`).sort(),
  };
};

test('a records table that is gone is described, beside another table of its stage, as the template makes it', () => {
  for (const sibling of ['Log', 'Views']) expect(settingsBeside(settingsOf(sibling))).toEqual(settingsOf('Records'));
  expect(settingsOf('Records')).toMatchObject(RECORDS_TABLE);
  expect(settingsBeside({ ...settingsOf('Log'), pointInTimeRecovery: false, deletionProtection: false, encryptionKey: null }, settingsOf('Records'))).toEqual(settingsOf('Records'));
  expect(settingsOf('Records').tags).toEqual(['intact:stage=prod']);
});
