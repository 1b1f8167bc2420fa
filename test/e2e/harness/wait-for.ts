/** Waiting as the rehearsal waits; here so that tests import one harness. */
export { waitFor, type Waiting } from '../../../local/wait-for';
