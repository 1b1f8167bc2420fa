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

/** A fault is longer than what is at fault: of a body of nothing else no more are named, so that an answer stays of the size of a request. */
export const MAX_FAULTS = 100;

/** The value with the place of every part in the bytes, or everything that is wrong, up to `MAX_FAULTS`. Never throws on content. */
export function strictJson(bytes: Buffer): { readonly root: JsonNode } | { readonly faults: readonly FaultAt[] } {
  const parsed = parseSlices(bytes);
  if (!parsed.ok) return { faults: [{ pointer: '', fault: parsed.error.code === 'empty' ? fault('required', {}) : fault('not-json', { offset: parsed.error.offset }) }] };
  const found = new Set(parsed.anomalies.map(({ code }) => code));
  const faults: FaultAt[] = [];
  if (found.has('too-deep')) faults.push({ pointer: '', fault: fault('too-deep', { max: MAX_DEPTH }) });
  if (found.has('invalid-utf8')) faults.push({ pointer: '', fault: fault('not-utf8', {}) });
  // Deeper than the bound nothing is walked into, so what follows is safe.
  if (faults.length > 0) return { faults };
  for (const found of walked(parsed.root, [], offsets(parsed.anomalies, 'inexact-number'))) {
    faults.push(found);
    if (faults.length === MAX_FAULTS) break;
  }
  return faults.length === 0 ? { root: parsed.root } : { faults };
}

const offsets = (anomalies: readonly { readonly code: JsonAnomalyCode; readonly offset: number }[], code: JsonAnomalyCode): ReadonlySet<number> => new Set(anomalies.filter((each) => each.code === code).map(({ offset }) => offset));

/** Half a surrogate pair is left to the rules of texts, which name its place. */
function* walked(node: JsonNode, path: readonly (string | number)[], inexact: ReadonlySet<number>): Generator<FaultAt> {
  const here = (found: Fault): FaultAt => ({ pointer: pointerTo(path), fault: found });
  if (node.shadowed) yield here(fault('duplicate-member', {}));
  if (node.key === '__proto__') yield here(fault('unknown-field', {}));
  if (typeof node.value === 'number' && inexact.has(node.start)) yield here(fault('inexact-number', {}));
  for (const [i, child] of (node.children ?? []).entries()) yield* walked(child, [...path, child.key ?? i], inexact);
}
