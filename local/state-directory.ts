/**
 * Where a local cloud keeps its files. `npm start` uses `.intact/`, which others read (outputs.json, ca.pem); a test run uses a directory of its own
 * below it, so the two never meet. Only the virtual environment is shared: it depends on nothing but local/requirements.txt.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The repository's root, from which every command of ours is run. */
export const projectRoot = resolve(__dirname, '..');

export interface StateDirectory {
  readonly root: string;
  /** Python packages; the only part that outlives a start. */
  readonly venv: string;
  /** Everything of the running emulator: data, logs, temporary files, process record. Emptied at each start. */
  readonly cloud: string;
  /** The synthesized app as deployed. */
  readonly assembly: string;
  /** The certificate the emulator shows, and its key. */
  readonly ca: string;
  readonly caKey: string;
  /** Stack outputs and the endpoint; present only while a cloud runs and is ready. */
  readonly outputs: string;
}

/**
 * The directory of `npm start`, or with `name` the one of a test run below it. Creates nothing but the root. INTACT_LOCAL names the directory to commands
 * that a test run starts (local/environment.ts sets it), so that they find its cloud and not the one of `npm start`.
 */
export function stateDirectory(name: string | undefined = process.env['INTACT_LOCAL']): StateDirectory {
  if (name !== undefined && !/^[a-z0-9-]+$/.test(name)) throw new Error(`INTACT_LOCAL must be the name of a directory below .intact/, not "${name}"`);
  const shared = join(projectRoot, '.intact');
  const root = name === undefined ? shared : join(shared, name);
  mkdirSync(root, { recursive: true });
  return {
    root,
    venv: join(shared, 'venv'),
    cloud: join(root, 'cloud'),
    assembly: join(root, 'cloud', 'cdk.out'),
    ca: join(root, 'ca.pem'),
    caKey: join(root, 'cloud', 'ca.key'),
    outputs: join(root, 'outputs.json'),
  };
}

/** Names, passwords and TOTP secrets of the seeded staff: of this cloud only, readable by its owner. */
export const staffFile = ({ root }: StateDirectory): string => join(root, 'staff.json');
