/** Whom a request is from, by the claims as API Gateway passes them on; every bad one is the good one with one thing changed. */
import { operatorBehind } from '../../src/runtime/operator-claims';

const claims = { sub: '11111111-2222-4333-8444-555555555555', username: 'anna', token_use: 'access', 'cognito:groups': '[support]', auth_time: '1790000000', exp: '1790000900' };
const event = (more: object = {}, http: object = { sourceIp: '192.0.2.7', userAgent: 'curl/8' }) => ({ requestContext: { http, authorizer: { jwt: { claims: { ...claims, ...more } } } } });

it('is the operator the token was given to', () => {
  expect(operatorBehind(event(), 'r1')).toEqual({
    actor: { operatorId: claims.sub, name: 'anna', role: 'support', sourceIp: '192.0.2.7', userAgent: 'curl/8', requestId: 'r1' },
    signedInAt: '2026-09-21T14:13:20.000Z',
    expiresAt: '2026-09-21T14:28:20.000Z',
  });
});

it.each([['[support]'], ['[newsletter support]'], ['support'], [['support', 'newsletter']]])('reads groups as %j', (groups) => {
  expect(operatorBehind(event({ 'cognito:groups': groups }), 'r')).toMatchObject({ actor: { role: 'support' } });
});

it.each([
  ['no authorizer', { requestContext: { http: {} } }, 'token-missing'],
  ['no request context', {}, 'token-missing'],
  ['an ID token', event({ token_use: 'id' }), 'token-unfit'],
  ['a token that does not say its use', event({ token_use: undefined }), 'token-unfit'],
  ['no subject', event({ sub: '' }), 'token-unfit'],
  ['no name', event({ username: undefined }), 'token-unfit'],
  ['a name that is none', event({ username: { a: 1 } }), 'token-unfit'],
  ['no time of the sign-in', event({ auth_time: undefined }), 'token-unfit'],
  ['an end that is no time', event({ exp: 'never' }), 'token-unfit'],
  ['an end beyond all dates', event({ exp: '9e15' }), 'token-unfit'],
  ['no groups', event({ 'cognito:groups': undefined }), 'no-role'],
  ['an empty list of groups', event({ 'cognito:groups': '[]' }), 'no-role'],
  ['a group that is no role', event({ 'cognito:groups': '[superuser]' }), 'no-role'],
  ['a group that is called like two, one of them a role', event({ 'cognito:groups': '[news,admin]' }), 'no-role'],
  ['groups in a shape nobody knows', event({ 'cognito:groups': { support: true } }), 'no-role'],
  ['two roles', event({ 'cognito:groups': '[support admin]' }), 'several-roles'],
])('is nobody with %s', (_what, request, problem) => {
  expect(operatorBehind(request, 'r')).toBe(problem);
});

it('keeps of what a caller calls itself no more than fits', () => {
  expect(operatorBehind(event({}, { userAgent: 'x'.repeat(5_000) }), 'r')).toMatchObject({ actor: { userAgent: 'x'.repeat(256), sourceIp: '' } });
});

describe('a sending system', () => {
  const client = '7a1b2c3d4e5f6g7h8i9j0k1l2m';
  const machine = { sub: client, client_id: client, username: undefined, 'cognito:groups': undefined, scope: 'intact/outbound' };

  it('is its client, in a role that no person has', () => {
    expect(operatorBehind(event(machine), 'r1')).toMatchObject({ actor: { operatorId: client, name: client, role: 'system', sourceIp: '192.0.2.7', requestId: 'r1' } });
    expect(operatorBehind(event({ ...machine, scope: 'intact/other intact/outbound' }), 'r')).toMatchObject({ actor: { role: 'system' } });
  });

  it.each([
    ['another scope', { scope: 'intact/outbounds' }, 'token-unfit'],
    ['no scope', { scope: undefined }, 'token-unfit'],
    ['another subject than its client', { sub: claims.sub }, 'token-unfit'],
    ['no client', { client_id: undefined }, 'token-unfit'],
    ['a user name', { username: 'anna' }, 'no-role'],
    ['groups', { 'cognito:groups': '[support]' }, 'token-unfit'],
    ['an ID token', { token_use: 'id' }, 'token-unfit'],
  ])('is none with %s', (_what, more, problem) => {
    expect(operatorBehind(event({ ...machine, ...more }), 'r')).toBe(problem);
  });

  it('is no group that somebody could be put into', () => {
    expect(operatorBehind(event({ 'cognito:groups': '[system]', scope: 'intact/outbound' }), 'r')).toBe('no-role');
  });
});
