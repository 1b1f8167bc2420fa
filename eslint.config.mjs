/** Lint: recommended rules, plus the design's one-way imports. test/architecture.test.ts checks the same arrows by reading every import. */
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { LAYERS } from './layers.mjs';

const never = (from, forbidden) => ({
  files: [`${from}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: forbidden.map(({ pattern, why }) => ({ regex: pattern, message: why })) },
    ],
  },
});

export default tseslint.config(
  { ignores: ['node_modules', 'cdk.out', '.intact', 'coverage', '**/*.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { globals: {} },
    rules: {
      'no-undef': 'off', // the compiler's job
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      'no-console': 'off',
      'no-control-regex': 'off', // we look for control characters on purpose
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Named exports only: a name is searched for, a default is not.' }],
    },
  },
  { files: ['src/**/*.ts', 'lambdas/**/*.ts'], rules: { 'no-console': 'error' } },
  { files: ['src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  { files: ['jest.config.cjs', 'eslint.config.mjs'], rules: { 'no-restricted-syntax': 'off', 'no-undef': 'off' } },
  { files: ['bench/**/*.mjs', 'layers.mjs'], rules: { 'no-undef': 'off' } },
  ...LAYERS.map(({ from, forbidden }) => never(from, forbidden)),
);
