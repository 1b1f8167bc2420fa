/** Who gets in, read from the templates that are deployed: the pool, its client, and that no route but the open ones does without them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLES } from '../../../src/core/staff/actor';
import { type Loose, ofType, one, resolved, synthesized } from '../synthesized';

const prod = synthesized('prod');
const local = synthesized('local');
const dev = synthesized('dev');

describe.each([['prod', prod], ['local', local], ['dev', dev]])('the pool of stage %s', (_name, all) => {
  const pool = one(all.data, 'AWS::Cognito::UserPool', 'StaffPool').Properties;
  const clients = Object.fromEntries(ofType(all.data, 'AWS::Cognito::UserPoolClient').map(([, { Properties }]) => [Properties['ClientName'] as string, Properties]));
  const client = clients['staff']!;

  it('wants a TOTP code of everybody, and takes no SMS', () => {
    expect([pool['MfaConfiguration'], pool['EnabledMfas'], pool['SmsConfiguration']]).toEqual(['ON', ['SOFTWARE_TOKEN_MFA'], undefined]);
  });

  it('is filled by administrators, who alone can let somebody in again', () => {
    expect(pool['AdminCreateUserConfig']).toEqual({ AllowAdminCreateUserOnly: true });
    expect(pool['AccountRecoverySetting']).toEqual({ RecoveryMechanisms: [{ Name: 'admin_only', Priority: 1 }] });
    expect([pool['UsernameAttributes'], pool['AliasAttributes'], pool['AutoVerifiedAttributes']]).toEqual([undefined, undefined, undefined]);
  });

  it('wants long passwords of all classes, and has temporary ones end after a day', () => {
    expect(pool['Policies'].PasswordPolicy).toEqual({ MinimumLength: 12, RequireLowercase: true, RequireUppercase: true, RequireNumbers: true, RequireSymbols: true, TemporaryPasswordValidityDays: 1, PasswordHistorySize: 5 });
  });

  it('watches for stolen passwords, and blocks', () => {
    expect([pool['UserPoolTier'], pool['UserPoolAddOns']]).toEqual(['PLUS', { AdvancedSecurityMode: 'ENFORCED' }]);
  });

  it('has a group for each role', () => {
    expect(ofType(all.data, 'AWS::Cognito::UserPoolGroup').map(([, { Properties }]) => Properties['GroupName'])).toEqual([...ROLES]);
  });

  it('has one public client for people, whose tokens are short, can be revoked, and are had by a proof of the password alone', () => {
    expect(Object.keys(clients).sort()).toEqual(['sender', 'staff']);
    expect(client).toMatchObject({
      ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
      GenerateSecret: false,
      EnableTokenRevocation: true,
      PreventUserExistenceErrors: 'ENABLED',
      AccessTokenValidity: 15,
      IdTokenValidity: 15,
      RefreshTokenValidity: 480,
      TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'minutes', RefreshToken: 'minutes' },
      WriteAttributes: ['locale'],
    });
    expect(client['AllowedOAuthFlows']).toBeUndefined();
  });
});

it.each([['prod', prod], ['local', local], ['dev', dev]])('a sending system of stage %s signs in by a secret, for one scope, and no user can through its client', (_name, all) => {
  const [sender, ...others] = ofType(all.data, 'AWS::Cognito::UserPoolClient').map(([, { Properties }]) => Properties).filter(({ GenerateSecret }) => GenerateSecret === true);
  expect(others).toEqual([]);
  expect(resolved(sender!, all)).toMatchObject({
    ClientName: 'sender',
    ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
    AllowedOAuthFlows: ['client_credentials'],
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthScopes: [expect.stringMatching(/\/outbound$/)],
    AccessTokenValidity: 15,
  });
  expect(one(all.data, 'AWS::Cognito::UserPoolResourceServer', 'StaffPool').Properties).toMatchObject({ Identifier: 'intact', Scopes: [{ ScopeName: 'outbound' }] });
});

it('is kept, with its users, where the stage keeps things, and only there', () => {
  const kept = ({ data }: typeof prod): unknown[] => {
    const { DeletionPolicy, Properties } = one(data, 'AWS::Cognito::UserPool', 'StaffPool');
    return [DeletionPolicy, Properties['DeletionProtection']];
  };
  expect([kept(prod), kept(dev)]).toEqual([['Retain', 'ACTIVE'], ['Delete', 'INACTIVE']]);
});

describe('the door', () => {
  const routes = (all: typeof prod): Record<string, Loose> => Object.fromEntries(ofType(all.service, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [Properties['RouteKey'] as string, resolved(Properties, all)]));
  const OPEN = ['GET /health', 'GET /webhook', 'POST /webhook'];

  it.each([['prod', prod], ['local', local], ['dev', dev]])('of stage %s: no route but the webhook and health is without the authorizer, and without a scope that only access tokens have, of people or, on one route, of a system', (_name, all) => {
    const [person, system] = ['aws.cognito.signin.user.admin', 'intact/outbound'];
    const open = Object.entries(routes(all)).filter(([, { AuthorizationType, AuthorizerId }]) => AuthorizationType !== 'JWT' || AuthorizerId === undefined);
    expect(open.map(([key]) => key).sort()).toEqual(OPEN);
    for (const [key, { AuthorizationScopes }] of Object.entries(routes(all))) if (!OPEN.includes(key)) expect([key, AuthorizationScopes]).toEqual([key, key === 'POST /v1/outbound' ? [person, system] : [person]]);
    expect(Object.keys(routes(all)).length).toBeGreaterThan(OPEN.length);
    // A catch-all would let through what nobody has thought of.
    for (const key of Object.keys(routes(all))) expect(key).toMatch(/^(GET|POST|PATCH|PUT|DELETE) \/(webhook|health|v1\/[a-z{}/-]+)$/i);
  });

  it('believes our pool alone, for our two clients alone', () => {
    const authorizers = ofType(prod.service, 'AWS::ApiGatewayV2::Authorizer');
    expect(authorizers).toHaveLength(1);
    expect(resolved(authorizers[0]![1].Properties, prod)).toMatchObject({
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Audience: [expect.stringMatching(/^StaffPoolStaff/), expect.stringMatching(/^StaffPoolSender/)], Issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/StaffPool' },
    });
  });

  it('is open to no page, but to those the stage names', () => {
    const cors = (all: typeof prod): Loose => one(all.service, 'AWS::ApiGatewayV2::Api', 'Webhook').Properties['CorsConfiguration'];
    expect(cors(prod)).toBeUndefined();
    const named = cors(synthesized('dev', { staff: { corsOrigins: ['https://console.example.com'], limit: { ratePerSecond: 10, burst: 50 } } }));
    expect(named).toMatchObject({ AllowOrigins: ['https://console.example.com'], AllowHeaders: expect.arrayContaining(['authorization', 'if-match']) });
    expect(named.AllowCredentials).toBeUndefined();
    // What a page has to send and to read, as the document of the API says it; Accept-Language a page may always send.
    const document = JSON.parse(readFileSync(join(__dirname, '../../../docs/openapi.json'), 'utf8')) as { paths: Record<string, Record<string, { parameters?: { in: string; name: string }[]; responses: Record<string, { headers?: object }> }>> };
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const sent = operations.flatMap(({ parameters = [] }) => parameters.filter((each) => each.in === 'header').map(({ name }) => name.toLowerCase()));
    const read = operations.flatMap(({ responses }) => Object.values(responses).flatMap(({ headers = {} }) => Object.keys(headers).map((name) => name.toLowerCase())));
    expect(new Set(sent)).toEqual(new Set(['accept-language', 'if-match', 'idempotency-key']));
    expect(named.AllowHeaders).toEqual(expect.arrayContaining([...sent.filter((name) => name !== 'accept-language'), 'content-type']));
    expect(new Set(read)).toEqual(new Set(['content-language', 'etag', 'idempotency-replayed', 'location', 'ratelimit', 'ratelimit-policy', 'retry-after', 'www-authenticate']));
    expect(named.ExposeHeaders).toEqual(expect.arrayContaining(read));
    const methods = Object.values(document.paths).flatMap((each) => Object.keys(each).map((method) => method.toUpperCase()));
    expect(named.AllowMethods).toEqual(expect.arrayContaining(methods));
  });
});
