/**
 * The one-way imports of the design: bin → lib; lambdas → runtime, operations; operations → core, ports; adapters → core, ports, SDK;
 * core → nothing of ours. One list, read by lint and by the architecture test. `pattern` is matched against the import specifier as written.
 */
const upTo = (...names) => `(^|/)\\.\\./(.*/)?(${names.join('|')})(/|$)`;
const io = '^(node:)?(fs|net|http|https|child_process|os|dns|tls|worker_threads|timers)(/|$)';

export const LAYERS = [
  {
    from: 'src/core',
    forbidden: [
      { pattern: upTo('ports', 'operations', 'adapters', 'runtime', 'cli', 'lib', 'lambdas', 'local', 'bin'), why: 'core imports nothing of ours but core.' },
      { pattern: '^@aws-(sdk|lambda-powertools)/', why: 'core is pure: no SDK.' },
      { pattern: io, why: 'core is pure: no I/O.' },
    ],
  },
  {
    from: 'src/operations',
    forbidden: [
      { pattern: upTo('adapters', 'runtime', 'cli', 'lib', 'lambdas', 'local', 'bin'), why: 'operations see the world through ports only.' },
      { pattern: '^@aws-(sdk|lambda-powertools)/', why: 'operations know no AWS.' },
      { pattern: io, why: 'operations do no I/O of their own.' },
    ],
  },
  {
    from: 'src/ports',
    forbidden: [{ pattern: upTo('operations', 'adapters', 'runtime', 'cli', 'lib', 'lambdas', 'local', 'bin'), why: 'ports know core only.' }],
  },
  {
    from: 'src/adapters',
    forbidden: [{ pattern: upTo('operations', 'runtime', 'cli', 'lib', 'lambdas', 'local', 'bin'), why: 'adapters implement ports; they call no operation.' }],
  },
  {
    from: 'src/runtime',
    forbidden: [{ pattern: upTo('cli', 'lib', 'lambdas', 'local', 'bin'), why: 'the runtime serves Lambdas; it does not know them.' }],
  },
  {
    from: 'lambdas',
    forbidden: [
      { pattern: upTo('adapters', 'cli', 'lib', 'local', 'bin'), why: 'a handler wires runtime to one operation.' },
      { pattern: '^@aws-sdk/', why: 'a handler calls no SDK.' },
    ],
  },
  {
    from: 'lib',
    forbidden: [
      { pattern: upTo('operations', 'adapters', 'cli', 'lambdas', 'local', 'bin'), why: 'lib takes only env names, metric names, roles, table keys and the shape of a setting from src.' },
      { pattern: 'src/(ports|operations|adapters|cli)|src/runtime/(?!env$)|src/core/(?!(table-keys|metric-names|staff/(actor|profile-settings))$)', why: 'lib takes only env names, metric names, roles, table keys and the shape of a setting from src.' },
    ],
  },
];
