import type { AppSecret } from '../../src/ports/app-secrets';
import { answerHandshake, handshakeIn } from '../../src/runtime/handshake';

function world(current: Partial<AppSecret>, refreshed: Partial<AppSecret> = current) {
  const counted: string[] = [];
  const full = (secret: Partial<AppSecret>): AppSecret => ({ appSecrets: [], verifyToken: '', ...secret });
  const deps = {
    secrets: { current: async () => full(current), refresh: async () => full(refreshed) },
    meter: { count: (name: string) => void counted.push(name), gauge: () => undefined },
  };
  return { ask: (query: string) => answerHandshake(deps, handshakeIn(query)), counted };
}
const query = 'hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock';

test('the challenge comes back to whoever knows the token', async () => {
  expect(await world({ verifyToken: 'meatyhamhock' }).ask(query)).toBe('1158201444');
});

test('a token set a moment ago is found by looking again', async () => {
  expect(await world({ verifyToken: 'old' }, { verifyToken: 'meatyhamhock' }).ask(query)).toBe('1158201444');
});

test.each([
  ['another token', query.replace('meaty', 'vegan')],
  ['no token', 'hub.mode=subscribe&hub.challenge=1'],
  ['an empty token', 'hub.mode=subscribe&hub.challenge=1&hub.verify_token='],
  ['another mode', query.replace('subscribe', 'unsubscribe')],
  ['no challenge', query.replace('hub.challenge', 'challenge')],
  ['a challenge that is markup', query.replace('1158201444', '%3Cscript%3E')],
  ['nothing', ''],
])('%s is refused', async (_name, asked) => {
  expect(await world({ verifyToken: 'meatyhamhock' }).ask(asked)).toBe('refused');
});

test('while no token is set everything is refused, an empty token too, and counted', async () => {
  const { ask, counted } = world({});
  expect(await ask('hub.mode=subscribe&hub.challenge=1&hub.verify_token=')).toBe('refused');
  expect(counted).toEqual(['SecretMissing']);
});
