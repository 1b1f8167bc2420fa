/**
 * The honest opponent: a WhatsApp webhook as the documentation of middy, Powertools for AWS Lambda and zod shows how to write one: logger and metrics
 * middleware, zod schema over the body, idempotency per message with the DynamoDB persistence layer, one PutCommand per message through the
 * document client. It checks Meta's signature the same way ours does. It keeps no raw bytes, no variants, no statuses, no customers, and seals nothing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import middy from '@middy/core';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2, Context } from 'aws-lambda';
import { z } from 'zod';

const logger = new Logger({ serviceName: 'webhook' });
const metrics = new Metrics({ namespace: 'Opponent', serviceName: 'webhook' });
const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const secrets = new SecretsManagerClient({});
const persistenceStore = new DynamoDBPersistenceLayer({ tableName: process.env.IDEMPOTENCY_TABLE ?? 'idempotency' });
const config = new IdempotencyConfig({ eventKeyJmesPath: 'id', expiresAfterSeconds: 604_800 });

const Message = z.looseObject({
  id: z.string(),
  from: z.string().optional(),
  from_user_id: z.string().optional(),
  timestamp: z.string(),
  type: z.string(),
  text: z.looseObject({ body: z.string() }).optional(),
  image: z.looseObject({ id: z.string(), mime_type: z.string(), sha256: z.string(), caption: z.string().optional() }).optional(),
  context: z.looseObject({ id: z.string().optional(), from: z.string().optional() }).optional(),
});
const Contact = z.looseObject({ wa_id: z.string().optional(), user_id: z.string().optional(), profile: z.looseObject({ name: z.string().optional() }).optional() });
const Body = z.looseObject({
  object: z.literal('whatsapp_business_account'),
  entry: z.array(
    z.looseObject({
      id: z.string(),
      changes: z.array(
        z.looseObject({
          field: z.string(),
          value: z.looseObject({
            messaging_product: z.literal('whatsapp'),
            metadata: z.looseObject({ display_phone_number: z.string(), phone_number_id: z.string() }),
            contacts: z.array(Contact).optional(),
            messages: z.array(Message).optional(),
          }),
        }),
      ),
    }),
  ),
});

let appSecret: string | undefined;
async function currentSecret(): Promise<string> {
  if (appSecret === undefined) {
    const answer = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.APP_SECRET_ARN ?? 'secret' }));
    appSecret = (JSON.parse(answer.SecretString ?? '{}') as { appSecrets: string[] }).appSecrets[0] ?? '';
  }
  return appSecret;
}

const record = makeIdempotent(
  async (message: z.infer<typeof Message>, phoneNumberId: string) => {
    await dynamodb.send(new PutCommand({ TableName: process.env.TABLE ?? 'messages', Item: { ...message, pk: `${phoneNumberId}#${message.id}`, receivedAt: new Date().toISOString() } }));
    metrics.addMetric('MessagesRecorded', MetricUnit.Count, 1);
    return { id: message.id };
  },
  { persistenceStore, config, dataIndexArgument: 0 },
);

async function receive(event: APIGatewayProxyEventV2, context: Context): Promise<APIGatewayProxyResultV2> {
  config.registerLambdaContext(context);
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const expected = Buffer.from(`sha256=${createHmac('sha256', await currentSecret()).update(body).digest('hex')}`);
  const given = Buffer.from(event.headers['x-hub-signature-256'] ?? '');
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return { statusCode: 401, body: 'bad signature' };
  const parsed = Body.parse(JSON.parse(body.toString('utf8')));
  for (const entry of parsed.entry)
    for (const change of entry.changes)
      for (const message of change.value.messages ?? []) await record(message, change.value.metadata.phone_number_id);
  logger.info('delivery recorded', { entries: parsed.entry.length });
  return { statusCode: 200, body: 'ok' };
}

export const handler = middy(receive).use(injectLambdaContext(logger)).use(logMetrics(metrics));
