/**
 * X-Ray segments around an invocation, when the stage wants them. The tracer is loaded by the first sampled invocation and not before: it takes longer to
 * load than everything else a cold start waits for.
 */
import type { Tracer } from '@aws-lambda-powertools/tracer';
import { isTraced } from './settings';

let loading: Promise<Tracer> | undefined;
const tracer = (): Promise<Tracer> => (loading ??= import('@aws-lambda-powertools/tracer').then((module) => new module.Tracer({ serviceName: 'intact', captureHTTPsRequests: true })));

/** Runs `work` as the subsegment `name`. Neither its result nor its error goes into the trace: both may hold content. */
export async function traced<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (!isTraced()) return work();
  const loaded = await tracer();
  const parent = loaded.getSegment();
  const segment = parent?.addNewSubsegment(name);
  if (parent === undefined || segment === undefined) return work();
  loaded.setSegment(segment);
  try {
    return await work();
  } catch (error) {
    segment.addFaultFlag();
    throw error;
  } finally {
    segment.close();
    loaded.setSegment(parent);
  }
}
