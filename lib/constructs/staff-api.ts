/**
 * The routes of staff on the one HTTP API. Whatever is added here is behind the authorizer: a token of our pool, for our client, not expired, an access token (only these have a scope).
 * What an operator may do with it is decided behind the door, in the functions. `/health` alone is open: it says that a function of ours answers, and nothing else.
 */
import { HttpMethod, type HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUserPoolAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { reviewed } from './reviewed';
import type { StaffPool } from './staff-pool';

/** In every access token of a sign-in, and in no ID token. */
const SIGNED_IN = 'aws.cognito.signin.user.admin';

export interface StaffApiProps {
  readonly api: HttpApi;
  readonly staff: StaffPool;
  /** Answers what needs no table: `GET /v1/me`, `GET /health`. */
  readonly self: Lambda;
}

export class StaffApi extends Construct {
  private readonly authorizer: HttpUserPoolAuthorizer;
  private readonly api: HttpApi;

  constructor(scope: Construct, id: string, { api, staff, self }: StaffApiProps) {
    super(scope, id);
    this.api = api;
    this.authorizer = new HttpUserPoolAuthorizer('Staff', staff.pool, { userPoolClients: [staff.client] });
    const integration = new HttpLambdaIntegration('Self', self);
    this.route('/v1/me', [HttpMethod.GET], integration);
    const health = this.api.addRoutes({ path: '/health', methods: [HttpMethod.GET], integration });
    for (const route of health) reviewed(route, 'AwsSolutions-APIG4', 'Asked by monitors that have no account; it answers one fixed sentence, reads nothing and is throttled like every route.');
  }

  /** Adds routes that only staff can call. There is no way here to add others. */
  route(path: `/v1/${string}`, methods: HttpMethod[], integration: HttpLambdaIntegration): void {
    this.api.addRoutes({ path, methods, integration, authorizer: this.authorizer, authorizationScopes: [SIGNED_IN] });
  }
}
