/**
 * A request's body as JSON, strictly: what two programs could read differently is refused, not guessed. The adversary hopes that a check sees one member and the work another: no name twice, no name
 * that stands for an object's prototype, no number that changes by being read, no bytes that are not UTF-8, no depth that a recursive reader would fall into.
 */
import { MAX_DEPTH, parseSlices, type JsonAnomalyCode, type JsonNode } from '../../core/meta/json-slices';
import { pointerTo } from '../../core/staff/profile-rules';
import { fault, type Fault } from '../../core/staff/text-rules';

export interface FaultAt {
  /** JSON Pointer; empty: the whole. */
  readonly pointer: string;
  readonly fault: Fault;
}

/** The value with the place of every part in the bytes, or everything that is wrong. Never throws on content. */
export function strictJson(bytes: Buffer): { readonly root: JsonNode } | { readonly faults: readonly FaultAt[] } {
  const parsed = parseSlices(bytes);
  if (!parsed.ok) return { faults: [{ pointer: '', fault: parsed.error.code === 'empty' ? fault('required', {}) : fault('not-json', { offset: parsed.error.offset }) }] };
  const found = new Set(parsed.anomalies.map(({ code }) => code));
  const faults: FaultAt[] = [];
  if (found.has('too-deep')) faults.push({ pointer: '', fault: fault('too-deep', { max: MAX_DEPTH }) });
  if (found.has('invalid-utf8')) faults.push({ pointer: '', fault: fault('not-utf8', {}) });
  // Deeper than the bound nothing is walked into, so what follows is safe.
  if (faults.length === 0) faults.push(...walked(parsed.root, [], offsets(parsed.anomalies, 'inexact-number')));
  return faults.length === 0 ? { root: parsed.root } : { faults };
}

const offsets = (anomalies: readonly { readonly code: JsonAnomalyCode; readonly offset: number }[], code: JsonAnomalyCode): ReadonlySet<number> => new Set(anomalies.filter((each) => each.code === code).map(({ offset }) => offset));

/** Half a surrogate pair is left to the rules of texts, which name its place. */
function walked(node: JsonNode, path: readonly (string | number)[], inexact: ReadonlySet<number>): readonly FaultAt[] {
  const pointer = pointerTo(path);
  const here: FaultAt[] = [];
  if (node.shadowed) here.push({ pointer, fault: fault('duplicate-member', {}) });
  if (node.key === '__proto__') here.push({ pointer, fault: fault('unknown-field', {}) });
  if (typeof node.value === 'number' && inexact.has(node.start)) here.push({ pointer, fault: fault('inexact-number', {}) });
  return [...here, ...(node.children ?? []).flatMap((child, i) => walked(child, [...path, child.key ?? i], inexact))];
}
