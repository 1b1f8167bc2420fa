/** `intact proof verify`: checks a proof file with nothing but the file and, if given, the log's key. Loads no SDK and opens no connection. */
import { checkDisclosure, type DisclosureReport } from '../core/disclosure';
import { readBytes, vkeyFrom } from './files';
import type { Run } from './command';
import { printJson, printLine, say } from './io';
import { plain, shown } from './plain-record';
import { aligned, counted, printable } from './text';

export const run: Run = async ({ operands: [file = ''], text, flag, io }) => {
  say(io, `source: ${file} (offline)`);
  const bytes = await readBytes(io, file);
  const given = text('vkey');
  const pinned = given === undefined ? undefined : await vkeyFrom(io, given);
  const report = checkDisclosure(bytes, pinned);
  if (flag('json')) printJson(io, document(file, report));
  else for (const line of page(file, report)) printLine(io, line);
  return report.findings.length === 0 ? 0 : 1;
};

function document(source: string, { findings, keySource, entry, image, index, checkpoint, vkey }: DisclosureReport): object {
  return {
    ok: findings.length === 0,
    source,
    keySource,
    vkey: vkey ?? null,
    origin: checkpoint?.origin ?? null,
    index: index ?? null,
    size: checkpoint?.size ?? null,
    root: checkpoint?.root.toString('base64') ?? null,
    entry: entry ?? null,
    record: image === undefined ? null : plain(image),
    findings,
  };
}

const SHOWN = ['kind', 'messageId', 'type', 'status', 'timestamp', 'receivedAt', 'text', 'raw'] as const;

function page(file: string, report: DisclosureReport): string[] {
  const { findings, keySource, entry, image, index, checkpoint } = report;
  const record = SHOWN.flatMap((name) => (image === undefined || shown(image, name) === undefined ? [] : [[name, shown(image, name) ?? '']]));
  if (findings.length > 0) {
    return [`${file} proves nothing:`, ...aligned(findings.map(({ code, detail }) => [code, printable(detail)])), '  next: ask whoever gave it to you for the file as `npx intact proof` made it'];
  }
  return [
    `${file} holds.`,
    ...aligned([
      ['log', checkpoint?.origin ?? ''],
      ['entry', `number ${counted(index ?? 0)} of ${counted(checkpoint?.size ?? 0)}, sealed change of ${entry?.at ?? ''}`],
      ['root', checkpoint?.root.toString('base64') ?? ''],
      ['key', keySource === 'given' ? 'the one you gave' : "the file's own: proves consistency, not authorship; give --vkey to prove whose log it is"],
    ]),
    'The record it discloses:',
    ...aligned(record),
    'This shows that the record has not changed since it was sealed. It does not show that Meta sent it.',
  ];
}
