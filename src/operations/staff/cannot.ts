/** What an operation plans where, as things stand, it cannot be done. */
import { conflictOf } from '../../core/staff/messages/catalogue';
import type { Conflict, ConflictParameters } from '../../core/staff/messages/rules';
import type { PlannedRefusal } from './guarded';

export const cannot = <C extends Conflict>(why: C, parameters: ConflictParameters[C]): PlannedRefusal => ({ outcome: 'refused', refusal: conflictOf(why, parameters) });
