/**
 * How a function answers CloudFormation. A deployment waits for a PUT to a one-time address, up to an hour; so whatever happens, failures and time running
 * out included, an answer is sent.
 */

/** What CloudFormation sends: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html */
export interface CustomResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
}

/** `reason` is shown to whoever deploys. */
export type CustomResourceOutcome = { readonly ok: true; readonly data: Readonly<Record<string, string>> } | { readonly ok: false; readonly reason: string };

const ATTEMPTS = 4;
const FIRST_WAIT_MS = 200;
const ANSWER_WITHIN_MS = 5_000;

/** Sends the answer. Throws when CloudFormation could not be reached: Lambda then calls the handler again. */
export async function answerCustomResource(event: CustomResourceEvent, outcome: CustomResourceOutcome, logStreamName: string): Promise<void> {
  const body = Buffer.from(
    JSON.stringify({
      Status: outcome.ok ? 'SUCCESS' : 'FAILED',
      Reason: outcome.ok ? 'done' : `${outcome.reason} (log stream ${logStreamName})`,
      // Never another one: CloudFormation would take it for a replacement and delete the old one.
      PhysicalResourceId: event.PhysicalResourceId ?? event.LogicalResourceId,
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
      ...(outcome.ok && { Data: outcome.data }),
    }),
  );
  for (let attempt = 1; ; attempt++) {
    try {
      // The address is signed for an empty content type.
      const reply = await fetch(event.ResponseURL, { method: 'PUT', body, headers: { 'content-type': '' }, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      if (reply.ok) return;
      throw new Error(`CloudFormation answered ${reply.status}`);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (attempt - 1)));
    }
  }
}
