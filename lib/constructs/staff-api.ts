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
import { OUTBOUND_SCOPE } from '../../src/core/staff/actor';
import type { StaffPool } from './staff-pool';

/** In every access token of a sign-in, and in no ID token. */
const SIGNED_IN = 'aws.cognito.signin.user.admin';
/** In the tokens of a sending system, which have the other one never: they open this one route. */
const OUTBOUND = `${OUTBOUND_SCOPE.server}/${OUTBOUND_SCOPE.name}`;
const OPEN_TO_SYSTEMS: ReadonlySet<string> = new Set(['POST /v1/outbound']);

/**
 * The functions of staff, one for each level of privilege, and the routes of each. A test holds them against the routes that the functions know, so that none is deployed to a function
 * with more rights than it needs.
 */
export const STAFF_ROUTES = {
  /** Answers what needs no table. */
  'api-self': ['GET /v1/me'],
  /** Reads profiles. */
  'api-read': ['GET /v1/customers', 'GET /v1/customers/search', 'GET /v1/customers/{id}', 'GET /v1/customers/{id}/notes', 'GET /v1/customers/{id}/versions', 'GET /v1/customers/{id}/at', 'GET /v1/customers/{id}/diff'],
  /** Changes one profile at a time, and whose a name is. */
  'api-write': ['POST /v1/customers', 'PATCH /v1/customers/{id}', 'PUT /v1/customers/{id}/owner', 'POST /v1/customers/{id}/notes', 'POST /v1/customers/{id}/rollback', 'POST /v1/customers/{id}/aliases', 'POST /v1/customers/{id}/aliases/unlink', 'POST /v1/customers/{id}/merges', 'POST /v1/customers/{id}/merges/{other}/undo'],
  /** Undoes what one operator did. */
  'api-admin': ['POST /v1/rollbacks/plan', 'POST /v1/rollbacks'],
  /** Reads the access log. */
  'api-audit': ['GET /v1/access'],
  /** Reads messages and opens what was sealed of them, to prove it. */
  'api-messages': ['GET /v1/customers/{id}/messages', 'GET /v1/customers/{id}/messages/{message}', 'GET /v1/customers/{id}/messages/{message}/proof'],
  /** Records what was sent. */
  'api-outbound': ['POST /v1/outbound'],
  /** Says what may be erased and what must not; erases nothing. */
  'api-officer': [
    'GET /v1/customers/{id}/hold', 'PUT /v1/customers/{id}/hold', 'DELETE /v1/customers/{id}/hold', 'POST /v1/customers/{id}/erasure', 'GET /v1/customers/{id}/erasure', 'POST /v1/customers/{id}/erasure/{requestId}/confirm', 'DELETE /v1/customers/{id}/erasure/{requestId}',
  ],
} as const satisfies Record<string, readonly `${string} /v1/${string}`[]>;
export type StaffFunctionName = keyof typeof STAFF_ROUTES;

export interface StaffApiProps {
  readonly api: HttpApi;
  readonly staff: StaffPool;
  readonly functions: Readonly<Record<StaffFunctionName, Lambda>>;
}

export class StaffApi extends Construct {
  private readonly authorizer: HttpUserPoolAuthorizer;
  private readonly api: HttpApi;

  constructor(scope: Construct, id: string, { api, staff, functions }: StaffApiProps) {
    super(scope, id);
    this.api = api;
    this.authorizer = new HttpUserPoolAuthorizer('Staff', staff.pool, { userPoolClients: [staff.client, staff.sender] });
    const integrations = Object.entries(STAFF_ROUTES).map(([name, routes]) => {
      const integration = new HttpLambdaIntegration(name, functions[name as StaffFunctionName]);
      for (const route of routes) this.route(route, integration);
      return [name, integration] as const;
    });
    const health = this.api.addRoutes({ path: '/health', methods: [HttpMethod.GET], integration: new Map<string, HttpLambdaIntegration>(integrations).get('api-self')! });
    for (const route of health) reviewed(route, 'AwsSolutions-APIG4', 'Asked by monitors that have no account; it answers one fixed sentence, reads nothing and is throttled like every route.');
  }

  /** Adds a route that only staff can call, and sending systems where it is for them. There is no way here to add others. */
  private route(route: string, integration: HttpLambdaIntegration): void {
    const [method = '', path = ''] = route.split(' ');
    this.api.addRoutes({ path, methods: [method as HttpMethod], integration, authorizer: this.authorizer, authorizationScopes: [SIGNED_IN, ...(OPEN_TO_SYSTEMS.has(route) ? [OUTBOUND] : [])] });
  }
}
