/** Holds and erasures of customers: what officers ask for, confirm and see. It takes nothing away; erase-subjects does, on its own schedule. */
import { staffApi } from '../src/runtime/stacks/staff-api';
import { levelOf } from '../src/runtime/staff/serve';
import { officeDeps } from '../src/runtime/wiring/staffing';

export const handler = staffApi(levelOf('officer', officeDeps()));
