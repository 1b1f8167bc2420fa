/** What is asked of a single message: whether it has the form of its type, and what a person would read of it. */
import { objectIn, stringIn, type Json } from './json-members';
import { MESSAGE_TYPES, REPLY_KINDS } from './message-types';
import { type ShapeProblem } from './quarantine';

export type MessageShape = { readonly known: boolean } | { readonly problem: ShapeProblem; readonly expected: string };

/**
 * Whether `message` has the form of its type. `errorsBeside`: its value carries `errors`, so a missing body is explained.
 * `known: false`: a type, or kind of interactive reply, that this file does not list; there is nothing to hold it against.
 */
export function shapeOfMessage(message: Json, errorsBeside: boolean): MessageShape {
  const type = stringIn(message, 'type');
  const spec = type === undefined ? undefined : MESSAGE_TYPES[type];
  if (spec === undefined) return { known: false };
  const hasErrors = errorsBeside || (Array.isArray(message['errors']) && message['errors'].length > 0);
  if (spec.body !== undefined && hasErrors && (message[spec.body] === undefined || message[spec.body] === null)) return { known: true };
  const problem = spec.shape(message);
  if (problem !== undefined) return { problem, expected: spec.example };
  return type === 'interactive' ? shapeOfReply(message, spec.example) : { known: true };
}

function shapeOfReply(message: Json, expected: string): MessageShape {
  const interactive = objectIn(message, 'interactive');
  const replyShape = REPLY_KINDS[stringIn(interactive, 'type') ?? ''];
  if (replyShape === undefined) return { known: false };
  const problem = replyShape(interactive);
  return problem === undefined ? { known: true } : { problem: { ...problem, path: `.interactive${problem.path}` }, expected };
}

/** What a person would read of it: body, caption, button, title of a reply, emoji, order note; of an edit, the new text. Undefined where there is none. */
export function textOfMessage(message: Json): string | undefined {
  const type = stringIn(message, 'type') ?? 'text';
  const body = objectIn(message, type);
  switch (type) {
    case 'text':
    case 'system':
      return typeof body?.['body'] === 'string' ? body['body'] : undefined;
    case 'button':
    case 'order':
      return stringIn(body, 'text');
    case 'reaction':
      return stringIn(body, 'emoji');
    case 'interactive':
      return stringIn(objectIn(body, 'button_reply'), 'title') ?? stringIn(objectIn(body, 'list_reply'), 'title') ?? stringIn(objectIn(body, 'nfm_reply'), 'body');
    case 'edit': {
      const edited = objectIn(body, 'message');
      // One level only: an edit of an edit is not a thing Meta sends, and a forged chain of them must not become recursion.
      return edited === undefined || edited['type'] === 'edit' ? undefined : textOfMessage(edited);
    }
    default:
      return stringIn(body, 'caption');
  }
}
