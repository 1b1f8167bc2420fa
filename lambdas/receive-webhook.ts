/** GET and POST /webhook: answers Meta's handshake; records one signed delivery. Answers 200 only once every event in it is durable; Meta resends on anything else. */
import { receiveDelivery } from '../src/operations/receive-delivery';
import { answerHandshake } from '../src/runtime/handshake';
import { webhook } from '../src/runtime/stacks/webhook';
import { receiveDeps } from '../src/runtime/wiring/receiving';

const deps = receiveDeps();

export const handler = webhook({
  handshake: (handshake) => answerHandshake(deps, handshake),
  deliver: (delivery) => receiveDelivery(deps, delivery),
});
