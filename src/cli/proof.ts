/** `intact proof <message id>`: a file that proves one message to anybody, offline. The file holds the message in clear: whoever gets it can read it. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { MessageProof, ProofRefusal } from '../operations/prove-message';
import type { Run } from './command';
import { Failure } from './failure';
import { printJson, say, type Io } from './io';
import { progress } from './progress';
import { counted, printable } from './text';

export const run: Run = async ({ operands: [messageId = ''], text, flag, io, world }) => {
  const { records, log, vault, keys, kms } = await world.deployment();
  const { proveMessage } = await import('../operations/prove-message');
  const phoneNumberId = text('phone');
  const shown = progress(io, world.now);
  const proof = await proveMessage({ records, log, vault, keys, keyService: kms }, { messageId, ...(phoneNumberId !== undefined && { phoneNumberId }) }, ({ from, time }) =>
    shown.tell(`searching the log: entry ${counted(from)}, ${time}`),
  );
  shown.end();
  if ('refused' in proof) throw refusal(proof, messageId);
  const out = text('out');
  if (out === undefined) io.stdout.write(proof.file);
  else {
    await written(resolve(io.cwd, out), out, proof.file);
    if (flag('json')) printJson(io, { file: out, origin: proof.origin, index: proof.index, size: proof.size, doubts: proof.doubts });
  }
  explain(proof, out, io);
  return proof.doubts.length === 0 ? 0 : 1;
};

async function written(path: string, typed: string, file: string): Promise<void> {
  try {
    await writeFile(path, file, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Failure('usage', code === 'EEXIST' ? `${typed} exists already; a proof is not written over another file` : `${typed} cannot be written: ${message}`, undefined, { cause });
  }
}

function explain({ origin, index, size, doubts, bodyOutside }: MessageProof, out: string | undefined, io: Io): void {
  say(io, `entry ${counted(index)} of ${counted(size)} in the log ${origin}`);
  say(io, 'It shows that the record has not changed since it was sealed, not that Meta sent it. The file holds the message in clear.');
  if (bodyOutside !== undefined) say(io, `The message's body is kept outside the record; the proof holds its SHA-256 (${bodyOutside.sha256}), not the body.`);
  if (doubts.includes('record-changed')) say(io, 'ATTENTION: the table holds something else now. The proof shows the record as it was sealed first: open docs/runbook.md#unauthorised-change');
  if (doubts.includes('mac-invalid')) say(io, 'ATTENTION: the record in the table is not as this system wrote it: open docs/runbook.md#record-mac-invalid');
  say(io, `  next: npx intact proof verify ${out ?? '<file>'} --vkey <the key you kept>`);
}

function refusal(proof: ProofRefusal, messageId: string): Failure {
  const id = printable(messageId);
  switch (proof.refused) {
    case 'absent':
      return new Failure('not-found', `no message is recorded under ${id}`, 'npx intact list --kind message shows the ids');
    case 'ambiguous':
      return new Failure('usage', `${id} is recorded for several of your numbers`, `say which: --phone ${proof.phoneNumberIds.map(printable).join(' or --phone ')}`);
    case 'not-sealed':
      return new Failure('not-yet', `${id} is recorded but not sealed yet`, 'sealing takes seconds: try again; if it stays, open docs/runbook.md#seal-lag');
    case 'not-published':
      return new Failure('not-yet', `${id} is sealed, but no checkpoint covers it yet`, 'publishing takes seconds: try again; if it stays, open docs/runbook.md#checkpoint-age');
    case 'erased':
      return new Failure('refused', `${id} belongs to somebody whose data was erased: nobody can open its entry any more`);
    case 'damaged':
      return new Failure('wrong', `no proof can be made of ${id}: ${proof.detail}`, 'npx intact verify names what is damaged');
  }
}
