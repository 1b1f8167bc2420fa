/** One operator has one role. */
import { ROLES, roleAmong } from '../../../src/core/staff/actor';

it('each role is recognised, among groups that are none and said twice as well', () => {
  for (const role of ROLES) expect([roleAmong([role]), roleAmong(['newsletter', role, role])]).toEqual([role, role]);
});

it.each([[[]], [['newsletter']], [['Support']], [['support ']], [['constructor']]])('%j is no role', (groups) => {
  expect(roleAmong(groups)).toBe('none');
});

it('two roles are not one', () => {
  expect(roleAmong(['support', 'admin'])).toBe('several');
});
