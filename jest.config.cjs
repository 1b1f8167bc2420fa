/** One runner for everything. End-to-end tests need a local cloud; `scripts/test.ts` starts it and sets INTACT_E2E. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.[mc]?[jt]s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }] },
  // middy and a few others ship ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!(@middy|jose|canonicalize|ulid)/)'],
  // At full size (npm run prove) a property may take minutes.
  testTimeout: process.env.INTACT_FULL ? 1_800_000 : 30_000,
};
