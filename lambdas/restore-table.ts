/** When an operator asks: restores the records into a table of its own, in shares. It knows no whole: one function's time is what there is too little of. */
import { restoreInParts } from '../src/operations/restore-in-parts';
import { wholeUpTo } from '../src/runtime/settings';
import { stepped } from '../src/runtime/stacks/stepped';
import { inPartsDeps } from '../src/runtime/wiring/in-parts';
import { restoreDeps } from '../src/runtime/wiring/restoring';

export const handler = stepped('restore-table', { parts: restoreInParts(restoreDeps(), { wholeUpTo: wholeUpTo() }), deps: inPartsDeps() });
