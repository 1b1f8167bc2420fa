/**
 * `npm run prove`: the tests at full size, with the figures the design asks for printed at the end: every fault at every call, every byte of a small vault, 10,000 planted flips, 10,000 runs a fuzz,
 * 20 producers × 200 messages × 3 deliveries through the API. Takes up to an hour on two cores. `npm run prove -- <file>…` proves only these.
 */
process.env['INTACT_FULL'] = '1';
void import('./test');
