/**
 * The public endpoint. An HTTP API, the cheapest front door that hands the body over byte for byte: up to 10 MB, of which Lambda takes 6 MB (a webhook has at most 3 MB,
 * 4 MB if it comes as base64). It speaks TLS 1.2 and newer only. Nobody is authorised here: each delivery proves itself by Meta's signature.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { CorsHttpMethod, HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Stage } from '../stage';
import { logGroupName } from '../../src/runtime/env';
import { reviewed } from './reviewed';

/** No query string (a GET carries the verify token in it) and no header: what was asked, by whom, how it ended. */
const ACCESS_LOG_FIELDS = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  route: '$context.routeKey',
  status: '$context.status',
  responseBytes: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  error: '$context.error.message',
  integrationError: '$context.integrationErrorMessage',
};

/** What a page may read of an answer beside its body; a test holds this against the headers that docs/openapi.json tells of. */
const STAFF_HEADERS = ['content-language', 'etag', 'idempotency-replayed', 'location', 'ratelimit', 'ratelimit-policy', 'retry-after', 'www-authenticate'];

export class WebhookApi extends Construct {
  readonly api: HttpApi;
  readonly webhookUrl: string;

  constructor(scope: Construct, id: string, props: { readonly stage: Stage; readonly receive: Lambda }) {
    super(scope, id);
    const { stage } = props;
    this.api = new HttpApi(this, 'Api', {
      apiName: `Intact-${stage.name}`,
      createDefaultStage: false,
      // For browsers of staff; Meta sends no Origin. Tokens come in a header, so no browser adds anybody's credentials by itself.
      ...(stage.staff.corsOrigins.length > 0 && {
        corsPreflight: { allowOrigins: stage.staff.corsOrigins, allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST, CorsHttpMethod.PUT, CorsHttpMethod.PATCH, CorsHttpMethod.DELETE], allowHeaders: ['authorization', 'content-type', 'if-match', 'idempotency-key'], exposeHeaders: [...STAFF_HEADERS], maxAge: Duration.hours(1) },
      }),
    });
    const accessLog = new LogGroup(this, 'AccessLog', {
      logGroupName: logGroupName(stage.name, 'api'),
      retention: stage.logRetentionDays as RetentionDays,
      removalPolicy: stage.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    new HttpStage(this, 'Default', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: stage.throttle.ratePerSecond, burstLimit: stage.throttle.burst },
      accessLogSettings: { destination: new LogGroupLogDestination(accessLog), format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG_FIELDS)) },
    });
    const routes = this.api.addRoutes({ path: '/webhook', methods: [HttpMethod.GET, HttpMethod.POST], integration: new HttpLambdaIntegration('Receive', props.receive) });
    for (const route of routes) reviewed(route, 'AwsSolutions-APIG4', "Meta cannot present a token of ours: a POST is authorised by its HMAC signature over the raw body, a GET by the verify token, both in the function.");
    this.webhookUrl = `${this.api.apiEndpoint}/webhook`;
  }
}
