/**
 * The message types of the WhatsApp Cloud API and what each must hold to be recorded as one. Required is only what the message is nothing without;
 * members that Meta documents as required but leaves out in practice are optional, null counts as absent, and unknown members are kept.
 * A type that is not listed is recorded all the same and counted; a listed one in another form goes to quarantine.
 */
import * as z from 'zod/mini';
import { shape, type Shape } from './shape';
import { wordTable } from './word-table';

const text = z.string();
const maybeText = z.nullish(z.string());
/** Digits that some senders quote and some do not. */
const maybeNumeric = z.nullish(z.union([z.string(), z.number()]));

const media = () =>
  z.looseObject({ id: text, mime_type: maybeText, sha256: maybeText, url: maybeText, caption: maybeText, filename: maybeText, voice: z.nullish(z.boolean()), animated: z.nullish(z.boolean()) });
const reply = () => z.looseObject({ id: text, title: maybeText, description: maybeText });

/** Replies to what the business sent; an unknown kind of reply is kept and counted like an unknown type. */
export const REPLY_KINDS: Readonly<Record<string, Shape>> = wordTable<Shape>({
  button_reply: shape(() => z.looseObject({ button_reply: reply() })),
  list_reply: shape(() => z.looseObject({ list_reply: reply() })),
  nfm_reply: shape(() => z.looseObject({ nfm_reply: z.looseObject({ response_json: maybeText, body: maybeText, name: maybeText }) })),
  call_permission_reply: shape(() => z.looseObject({ call_permission_reply: z.looseObject({ response: text, expiration_timestamp: maybeNumeric, response_source: maybeText }) })),
  payment_method: shape(() => z.looseObject({ payment_method: z.nullish(z.looseObject({})) })),
});

const person = () => z.looseObject({
  name: z.nullish(z.looseObject({ formatted_name: maybeText })),
  phones: z.nullish(z.array(z.looseObject({ phone: maybeText, wa_id: maybeText, type: maybeText }))),
  emails: z.nullish(z.array(z.looseObject({}))),
  addresses: z.nullish(z.array(z.looseObject({}))),
  urls: z.nullish(z.array(z.looseObject({}))),
  org: z.nullish(z.looseObject({})),
  birthday: maybeText,
  vcard: maybeText,
  origin: maybeText,
});

const product = () => z.looseObject({ product_retailer_id: maybeText, quantity: maybeNumeric, item_price: maybeNumeric, currency: maybeText });

const anything = shape(() => z.looseObject({}));

export interface MessageType {
  /** Checks the whole message object; id, timestamp and sender are judged before. */
  readonly shape: Shape;
  /** The member that holds the body; it may be missing where the message or its value carries errors (131000, 131051, ...). */
  readonly body?: string;
  readonly example: string;
}

const mediaType = (name: string): MessageType => ({
  shape: shape(() => z.looseObject({ [name]: media() })),
  body: name,
  example: `{"type":"${name}","${name}":{"id":"1003383421387256","mime_type":"…","sha256":"…"}}`,
});

export const MESSAGE_TYPES: Readonly<Record<string, MessageType>> = wordTable<MessageType>({
  text: { shape: shape(() => z.looseObject({ text: z.looseObject({ body: text }) })), body: 'text', example: '{"type":"text","text":{"body":"Hello"}}' },
  image: mediaType('image'),
  video: mediaType('video'),
  audio: mediaType('audio'),
  voice: mediaType('voice'),
  document: mediaType('document'),
  sticker: mediaType('sticker'),
  location: {
    shape: shape(() => z.looseObject({ location: z.looseObject({ latitude: z.union([z.number(), z.string()]), longitude: z.union([z.number(), z.string()]), name: maybeText, address: maybeText, url: maybeText }) })),
    body: 'location',
    example: '{"type":"location","location":{"latitude":52.52,"longitude":13.4}}',
  },
  contacts: { shape: shape(() => z.looseObject({ contacts: z.array(person()) })), body: 'contacts', example: '{"type":"contacts","contacts":[{"name":{"formatted_name":"…"}}]}' },
  reaction: { shape: shape(() => z.looseObject({ reaction: z.looseObject({ message_id: text, emoji: maybeText }) })), body: 'reaction', example: '{"type":"reaction","reaction":{"message_id":"wamid.…","emoji":"👍"}}' },
  interactive: {
    shape: shape(() => z.looseObject({ interactive: z.looseObject({ type: text }) })),
    body: 'interactive',
    example: '{"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"…","title":"…"}}}',
  },
  button: { shape: shape(() => z.looseObject({ button: z.looseObject({ text, payload: maybeText }) })), body: 'button', example: '{"type":"button","button":{"payload":"…","text":"…"}}' },
  order: {
    shape: shape(() => z.looseObject({ order: z.looseObject({ catalog_id: maybeText, text: maybeText, product_items: z.array(product()) }) })),
    body: 'order',
    example: '{"type":"order","order":{"catalog_id":"…","product_items":[{"product_retailer_id":"…","quantity":1,"item_price":9.5,"currency":"EUR"}]}}',
  },
  system: {
    shape: shape(() => z.looseObject({
      system: z.looseObject({ body: maybeText, type: maybeText, wa_id: maybeText, new_wa_id: maybeText, user_id: maybeText, parent_user_id: maybeText, previous_user_id: maybeText, customer: maybeText }),
    })),
    body: 'system',
    example: '{"type":"system","system":{"type":"user_changed_number","body":"…","wa_id":"…"}}',
  },
  edit: {
    shape: shape(() => z.looseObject({ edit: z.looseObject({ original_message_id: text, message: z.looseObject({ type: maybeText }) }) })),
    body: 'edit',
    example: '{"type":"edit","edit":{"original_message_id":"wamid.…","message":{"type":"text","text":{"body":"…"}}}}',
  },
  revoke: { shape: shape(() => z.looseObject({ revoke: z.looseObject({ original_message_id: text }) })), body: 'revoke', example: '{"type":"revoke","revoke":{"original_message_id":"wamid.…"}}' },
  unsupported: { shape: shape(() => z.looseObject({ errors: z.nullish(z.array(z.looseObject({}))), unsupported: z.nullish(z.looseObject({ type: maybeText })) })), example: '{"type":"unsupported","errors":[{"code":131051}]}' },
  unknown: { shape: shape(() => z.looseObject({ errors: z.nullish(z.array(z.looseObject({}))) })), example: '{"type":"unknown","errors":[{"code":131051}]}' },
  request_welcome: { shape: anything, example: '{"type":"request_welcome"}' },
  media_placeholder: { shape: anything, example: '{"type":"media_placeholder"}' },
} satisfies Record<string, MessageType>);
